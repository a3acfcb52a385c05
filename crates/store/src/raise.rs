//! Raising a store's revision. A store that was restored from a backup would give out revisions anew that clients
//! have seen with other contents; above the highest they know, they are told that history is gone, and list anew.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};

use crate::error::Error;
use crate::store::{Commit, Op, Store, Txn};

/// Written over and over, and deleted at the end. Outside of what caches follow.
const KEY: &[u8] = b"nakhoda/raise";
/// Transactions on the way at a time.
const AT_A_TIME: usize = 128;

/// Writes until the revision is above `above`, and forgets the history before. The new revision; that of the store
/// if it is above already, in which case nothing is written.
pub async fn raise(store: &dyn Store, above: u64) -> Result<u64, Error> {
    let mut revision = store.revision().await?;
    if revision > above {
        return Ok(revision);
    }
    while revision <= above {
        let writes = stream::iter(revision..=above).map(|_| write(store));
        writes.buffer_unordered(AT_A_TIME).try_for_each(|()| std::future::ready(Ok(()))).await?;
        revision = store.revision().await?;
    }
    let delete = Op::Delete { key: Bytes::from_static(KEY) };
    store.commit(Txn { compares: Vec::new(), ops: vec![delete] }).await?;
    let revision = store.revision().await?;
    store.compact(revision).await?;
    Ok(revision)
}

async fn write(store: &dyn Store) -> Result<(), Error> {
    let put = Op::Put { key: Bytes::from_static(KEY), value: Bytes::new(), ttl: None };
    match store.commit(Txn { compares: Vec::new(), ops: vec![put] }).await? {
        Commit::Done { .. } => Ok(()),
        Commit::Refused { .. } => Err(Error::corrupt("a write without a condition was refused")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Watch;
    use crate::{Memory, Options};

    #[tokio::test]
    async fn after_a_raise_the_history_before_is_gone_and_the_objects_are_there() {
        let store = Memory::default();
        let key = Bytes::from_static(b"/registry/a");
        let made = store.create(key.clone(), Bytes::from_static(b"1"), &Options::default()).await.expect("created");
        let raised = raise(&store, made + 500).await.expect("raised");
        assert!(raised > made + 500, "{raised}");
        assert_eq!(raise(&store, made).await.expect("nothing to do"), raised);
        assert_eq!(store.get(&key).await.expect("read").entry.expect("there").revision, made);
        let past = Watch { prefix: Bytes::new(), after: made, previous: false };
        assert!(matches!(store.watch(past).await.err(), Some(Error::Compacted { .. })));
    }
}
