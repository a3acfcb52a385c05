//! Compiles `proto/nakhoda` without an installed protoc.

use std::path::PathBuf;

use prost::Message;

const PROTOS: [&str; 2] = ["nakhoda/v1/resources.proto", "nakhoda/v1/node.proto"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.join("nakhoda").display());
    let descriptors = protox::compile(PROTOS, [&root])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?).join("nakhoda.bin");
    std::fs::write(out, descriptors.encode_to_vec())?;
    tonic_prost_build::configure().build_transport(false).bytes(".").compile_fds(descriptors)?;
    Ok(())
}
