//! The pod network of this node: a bridge with addresses out of the Node's podCIDR, configured for
//! the runtime as soon as the Node has one. A configuration that somebody else wrote is left alone.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;

/// Sorts before what others may add, and names its owner.
const FILE: &str = "10-nakhoda.conflist";

/// The configuration cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the CNI configuration {path}")]
pub struct Error {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// The pod network's configuration list. Pods of one node reach each other over the bridge; what
/// leaves for other nodes keeps its address, what leaves the cluster takes the node's (the proxy's rules).
#[must_use]
pub fn render(cidrs: &[String], data: &Path) -> String {
    let ranges: Vec<_> = cidrs.iter().map(|cidr| json!([{"subnet": cidr}])).collect();
    let routes: Vec<_> = cidrs
        .iter()
        .map(|cidr| if cidr.contains(':') { json!({"dst": "::/0"}) } else { json!({"dst": "0.0.0.0/0"}) })
        .collect();
    let list = json!({
        "cniVersion": "0.4.0",
        "name": "nakhoda",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "nakhoda0",
                "isGateway": true,
                "isDefaultGateway": false,
                "ipMasq": false,
                "hairpinMode": true,
                // A node that was removed and joins again may get other addresses for its pods.
                "forceAddress": true,
                "ipam": {"type": "host-local", "dataDir": data, "ranges": ranges, "routes": routes},
            },
        ],
    });
    format!("{list:#}\n")
}

/// Writes the configuration unless it is there or a foreign one is. Gives whether ours is in use.
pub fn write(dir: &Path, data: &Path, cidrs: &[String]) -> Result<bool, Error> {
    let path = dir.join(FILE);
    let fail = |source| Error { path: path.clone(), source };
    std::fs::create_dir_all(dir).map_err(fail)?;
    if foreign(dir).map_err(fail)? {
        return Ok(false);
    }
    let text = render(cidrs, data);
    if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
        return Ok(true);
    }
    // The runtime watches the directory: the file must appear whole.
    let fresh = dir.join(".nakhoda.tmp");
    std::fs::write(&fresh, text).map_err(fail)?;
    std::fs::rename(&fresh, &path).map_err(fail)?;
    tracing::info!(file = %path.display(), ?cidrs, "pod network configured");
    Ok(true)
}

fn foreign(dir: &Path) -> io::Result<bool> {
    for entry in std::fs::read_dir(dir)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if name != FILE && [".conf", ".conflist", ".json"].iter().any(|end| name.ends_with(end)) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_configuration_is_left_alone() {
        let dir = std::env::temp_dir().join(format!("cni-{}", std::process::id()));
        let cidrs = ["10.1.0.0/24".to_owned()];
        assert!(write(&dir, &dir, &cidrs).expect("written"));
        assert!(write(&dir, &dir, &cidrs).expect("unchanged"));
        std::fs::write(dir.join("05-other.conflist"), "{}").expect("written");
        assert!(!write(&dir, &dir, &cidrs).expect("left alone"));
        std::fs::remove_dir_all(dir).expect("removed");
    }
}
