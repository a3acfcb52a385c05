//! The API server's process.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

/// A quarter of a request's work is memory that comes and goes; glibc's allocator takes a fifth more of the
/// processor for a write.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    small_pages();
    nakhoda_daemon::ask::command("https://127.0.0.1:6443/readyz")
        .unwrap_or_else(|| nakhoda_apiserver::run(nakhoda_apiserver::Options::parse()))
}

/// Huge pages, which the allocator asks for, make resident what was never used: 20 MiB of a server at rest.
/// Where the kernel refuses, the server is only larger.
fn small_pages() {
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}
