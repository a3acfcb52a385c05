//! What came of a write whose answer was lost.
//!
//! A transaction that compares a key it writes happens at most once, however often it is sent: its own writes
//! make the comparison fail. So it is sent again after a lost answer, and if that is refused, what is found
//! tells whether an earlier try was the cause.

use crate::error::Error;
use crate::store::{Commit, Compare, Entry, Op, Txn};

/// Whether a transaction can happen only once.
pub(crate) fn once(txn: &Txn) -> bool {
    txn.compares.iter().any(|compare| txn.ops.iter().any(|op| *op.key() == compare.key))
}

/// What a transaction came to at last, after some try of which the answer was lost.
pub(crate) fn settle(txn: &Txn, commit: Commit) -> Result<Commit, Error> {
    let Commit::Refused { found } = commit else { return Ok(commit) };
    let own = |(compare, entry): &(Compare, Option<Entry>)| {
        txn.ops.iter().find(|op| *op.key() == compare.key).map(|op| (op, compare.clone(), entry.clone()))
    };
    let Some((op, compare, entry)) = found.iter().find_map(own) else { return Ok(Commit::Refused { found }) };
    match (op, entry) {
        // Untouched since before the first try: another comparison failed.
        (_, entry) if compare.holds(entry.as_ref()) => Ok(Commit::Refused { found }),
        (Op::Put { value, .. }, Some(entry)) if entry.value == *value => Ok(Commit::Done { revision: entry.revision }),
        _ => Err(Error::unavailable("the answer was lost, and the key has changed since")),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::store::Reading;

    fn entry(value: &'static str, revision: u64) -> Option<Entry> {
        let (key, value) = (Bytes::from_static(b"k"), Bytes::from_static(value.as_bytes()));
        Some(Entry { key, value, created: 1, revision, reading: Reading::Current })
    }

    fn settled(op: Op, found: Option<Entry>) -> Result<Commit, Error> {
        let compare = Compare { key: Bytes::from_static(b"k"), revision: 5 };
        let txn = Txn { compares: vec![compare.clone()], ops: vec![op] };
        assert!(once(&txn));
        settle(&txn, Commit::Refused { found: vec![(compare, found)] })
    }

    #[test]
    fn a_lost_write_is_known_by_what_it_wrote() {
        let put = || Op::Put { key: Bytes::from_static(b"k"), value: Bytes::from_static(b"new"), ttl: None };
        assert!(matches!(settled(put(), entry("new", 7)), Ok(Commit::Done { revision: 7 })));
        assert!(matches!(settled(put(), entry("old", 5)), Ok(Commit::Refused { .. })));
        assert!(matches!(settled(put(), entry("else", 7)), Err(Error::Unavailable { .. })));
        assert!(settled(Op::Delete { key: Bytes::from_static(b"k") }, None).is_err());
    }
}
