//! The pause program wrapped into an image archive as `docker save` writes it.

use serde_json::json;
use sha2::{Digest, Sha256};

use super::{IMAGE, Unsupported, elf};

/// The archive, ready to be imported.
pub fn archive() -> Result<Vec<u8>, Unsupported> {
    if std::env::consts::ARCH != "x86_64" {
        return Err(Unsupported(std::env::consts::ARCH));
    }
    let layer = tar(&[("pause", &elf::program(), 0o755)]);
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {"Entrypoint": ["/pause"], "User": "65535:65535"},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", hex(&Sha256::digest(&layer)))]},
    });
    let manifest = json!([{"Config": "config.json", "RepoTags": [IMAGE], "Layers": ["layer.tar"]}]);
    Ok(tar(&[
        ("layer.tar", &layer, 0o644),
        ("config.json", config.to_string().as_bytes(), 0o644),
        ("manifest.json", manifest.to_string().as_bytes(), 0o644),
    ]))
}

fn tar(files: &[(&str, &[u8], u32)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes, mode) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(*mode);
        header.set_mtime(0);
        builder.append_data(&mut header, name, *bytes).expect("writing to memory cannot fail");
    }
    builder.into_inner().expect("writing to memory cannot fail")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn the_image_is_a_few_kilobytes() {
        let bytes = archive().expect("this machine is supported");
        assert!(bytes.len() < 16 << 10, "{} bytes", bytes.len());
    }
}
