//! Seeded mutation of a kept corpus, through everything that reads what clients send.
//!
//! Each target runs for a moment here; `scripts/fuzz [TARGET] [SECONDS]` runs one or all for as long as is wished.
//! A run prints its seed, and the same seed repeats it. An input that panics, hangs, or is answered with much more
//! than it sent is saved in `target/fuzz`; once mended it goes into `corpus/`.

mod harness;
mod mutate;
mod targets;

use harness::Target;

/// The name of a target is its corpus's and its test's.
macro_rules! targets {
    ($($name:ident),* $(,)?) => {$(
        #[test]
        fn $name() {
            Target { name: stringify!($name), corpus: include_bytes!(concat!("corpus/", stringify!($name))), run: targets::$name }
                .fuzz();
        }
    )*};
}

targets!(
    json,
    yaml,
    protobuf,
    json_patch,
    merge_patch,
    strategic_patch,
    apply,
    managed_fields,
    field_paths,
    label_selectors,
    field_selectors,
    continue_tokens,
    quantities,
    cel,
    headers,
    urls,
    names,
    schemas,
    jsonpath,
    cron,
);
