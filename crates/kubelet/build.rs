//! Compiles `proto/cri` without an installed protoc.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../../proto/cri");
    println!("cargo::rerun-if-changed={}", root.display());
    let descriptors = protox::compile(["runtime.proto"], [&root])?;
    tonic_prost_build::configure().build_server(false).compile_fds(descriptors)?;
    Ok(())
}
