//! One suite for every keeper of objects, and one for the cache over each of them.
//!
//! Real etcd is part of it: without the binary these tests fail and say what to install.
#![allow(clippy::unwrap_used, unreachable_pub, missing_docs, reason = "tests")]

mod conformance {
    pub mod cache;
    pub mod cluster;
    pub mod etcd;
    pub mod faults;
    pub mod harness;
    pub mod store;
    pub mod watch;
}

/// Runs each claim over each store.
macro_rules! claims {
    ($($module:ident :: $claim:ident,)+) => {
        mod memory { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $claim() {
                let backend = crate::conformance::harness::memory();
                crate::conformance::$module::$claim(backend).await;
            }
        )+ }
        mod etcd { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $claim() {
                let backend = crate::conformance::harness::etcd().await;
                crate::conformance::$module::$claim(backend).await;
            }
        )+ }
    };
}

claims! {
    store::each_write_is_one_revision,
    store::a_key_is_created_once,
    store::an_update_needs_the_current_revision,
    store::a_delete_needs_the_current_revision,
    store::pages_of_a_list_share_a_revision,
    store::a_list_keeps_to_its_prefix,
    store::the_past_can_be_listed_until_compacted,
    store::a_transaction_is_all_or_nothing,
    store::a_fence_outlives_renewals_but_not_a_takeover,
    store::concurrent_updates_all_count,
    store::a_stale_hint_does_no_harm,
    watch::a_put_tells_creation_from_change,
    watch::a_watch_replays_the_past_exactly,
    watch::a_compacted_start_is_refused,
    watch::a_transaction_arrives_whole,
    watch::the_whole_key_space_can_be_watched,
    cache::a_snapshot_is_what_the_store_holds,
    cache::a_fresh_snapshot_has_all_that_was_answered,
    cache::a_fresh_snapshot_counts_foreign_revisions,
    cache::a_deletion_carries_the_last_state_and_its_own_revision,
    cache::a_selector_turns_changes_into_arrivals_and_departures,
    cache::initial_objects_end_with_a_bookmark,
    cache::a_hot_field_finds_its_watchers,
    cache::history_that_left_the_ring_is_expired,
    cache::a_slow_watcher_is_closed_alone,
    cache::pages_share_a_snapshot,
    cache::an_exact_revision_comes_from_the_store_or_is_compacted,
    cache::a_watch_from_a_revision_ahead_tells_what_comes_after_it,
    cache::bookmarks_tell_what_is_complete,
    cache::frames_are_encoded_once,
    cache::a_closed_cache_ends_its_watchers,
    cache::a_new_cache_knows_the_history_the_store_still_has,
    cache::a_new_cache_does_not_invent_compacted_history,
    faults::a_random_history_is_seen_without_gap_or_duplicate,
}
