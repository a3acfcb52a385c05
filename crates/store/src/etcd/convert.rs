//! Between our terms and etcd's.

use bytes::Bytes;
use etcd_client::{
    Compare as PbCompare, CompareOp, GetOptions, GetResponse, KeyValue, PutOptions, ResponseHeader, Txn as PbTxn,
    TxnOp, TxnOpResponse, TxnResponse,
};

use crate::error::Error;
use crate::store::{Commit, Compare, Entry, List, Listing, Op, Read, Reading, Txn};

pub(crate) fn signed(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(revision: i64) -> u64 {
    u64::try_from(revision).unwrap_or_default()
}

pub(crate) fn entry(kv: KeyValue) -> Entry {
    let (created, revision) = (unsigned(kv.create_revision()), unsigned(kv.mod_revision()));
    let (key, value) = kv.into_key_value();
    Entry { key: key.into(), value: value.into(), created, revision, reading: Reading::Current }
}

pub(crate) fn revision(header: Option<&ResponseHeader>) -> Result<u64, Error> {
    header.map(|header| unsigned(header.revision())).ok_or_else(|| Error::corrupt("etcd answered without a header"))
}

pub(crate) fn read(mut answer: GetResponse) -> Result<Read, Error> {
    let revision = revision(answer.header())?;
    Ok(Read { entry: answer.take_kvs().pop().map(entry), revision })
}

/// The first key and the rest of a range request.
pub(crate) fn list(list: &List) -> (Bytes, GetOptions) {
    let key = list.from.clone().unwrap_or_default().max(list.prefix.clone());
    let key = if key.is_empty() { Bytes::from_static(b"\0") } else { key };
    let options = GetOptions::new()
        .with_range(prefix_end(&list.prefix))
        .with_revision(list.at.map_or(0, signed))
        .with_limit(list.limit.map_or(0, |limit| i64::try_from(limit).unwrap_or(i64::MAX)));
    (key, options)
}

pub(crate) fn listing(list: &List, mut answer: GetResponse) -> Result<Listing, Error> {
    let now = revision(answer.header())?;
    let (more, count) = (answer.more(), unsigned(answer.count()));
    let entries = answer.take_kvs().into_iter().map(entry).collect();
    Ok(Listing { entries, revision: list.at.unwrap_or(now), more, count })
}

/// The first key behind all that begin with `prefix`; `\0`, which means no end, if there is none.
pub(crate) fn prefix_end(prefix: &[u8]) -> Vec<u8> {
    let Some(last) = prefix.iter().rposition(|byte| *byte != u8::MAX) else { return vec![0] };
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    end
}

/// A transaction that, refused, reads all it compared. `leases` has one place per operation.
pub(crate) fn txn(txn: &Txn, leases: &[Option<i64>]) -> PbTxn {
    let compares: Vec<_> = txn.compares.iter().map(compare).collect();
    let reads: Vec<_> = txn.compares.iter().map(|compare| TxnOp::get(compare.key.to_vec(), None)).collect();
    let ops: Vec<_> = txn.ops.iter().zip(leases).map(|(op, lease)| operation(op, *lease)).collect();
    PbTxn::new().when(compares).and_then(ops).or_else(reads)
}

fn compare(compare: &Compare) -> PbCompare {
    PbCompare::mod_revision(compare.key.to_vec(), CompareOp::Equal, signed(compare.revision))
}

fn operation(op: &Op, lease: Option<i64>) -> TxnOp {
    match op {
        Op::Put { key, value, .. } => {
            let options = lease.map(|lease| PutOptions::new().with_lease(lease));
            TxnOp::put(key.to_vec(), value.to_vec(), options)
        }
        Op::Delete { key } => TxnOp::delete(key.to_vec(), None),
    }
}

pub(crate) fn commit(txn: &Txn, answer: TxnResponse) -> Result<Commit, Error> {
    if answer.succeeded() {
        return Ok(Commit::Done { revision: revision(answer.header())? });
    }
    let mut reads = answer.op_responses().into_iter();
    let found = txn.compares.iter().map(|compare| match reads.next() {
        Some(TxnOpResponse::Get(mut read)) => Ok((compare.clone(), read.take_kvs().pop().map(entry))),
        _ => Err(Error::corrupt("etcd refused a transaction and does not say what it found")),
    });
    Ok(Commit::Refused { found: found.collect::<Result<_, _>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_its_successor() {
        assert_eq!(prefix_end(b"/a/"), b"/a0");
        assert_eq!(prefix_end(b"a\xff"), b"b");
        assert_eq!(prefix_end(b""), b"\0");
        assert_eq!(prefix_end(b"\xff"), b"\0");
    }
}
