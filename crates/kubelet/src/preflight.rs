//! What a machine must have before its kubelet does anything: found out at once, and told with its fix. Looked for
//! only where the kubelet runs a containerd of its own: another's has its own paths.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::options::{Options, Runtime};

/// Programs that containerd is made of, and the package of each.
const PROGRAMS: &[(&str, &str)] =
    &[("containerd", "containerd"), ("containerd-shim-runc-v2", "containerd"), ("runc", "runc")];
/// The CNI plugins that the pod network is made of.
const PLUGINS: &[&str] = &["bridge", "host-local", "loopback"];

/// Something that is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// A program.
    #[error("this machine has no {program} in its PATH: apt-get install {package}")]
    Program {
        /// Its name.
        program: &'static str,
        /// Who brings it.
        package: &'static str,
    },
    /// A CNI plugin.
    #[error("{folder} has no CNI plugin {plugin}: apt-get install containernetworking-plugins, or pass --cni-bin-dir")]
    Plugin {
        /// Its name.
        plugin: &'static str,
        /// Where it should be.
        folder: PathBuf,
    },
}

/// Looks for what the kubelet will need.
pub fn check(options: &Options) -> Result<(), Missing> {
    match options.container_runtime {
        Runtime::Managed => find(&std::env::var_os("PATH").unwrap_or_default(), &options.cni_bin_dir),
        Runtime::Remote => Ok(()),
    }
}

fn find(path: &OsStr, plugins: &Path) -> Result<(), Missing> {
    let installed = |program: &str| std::env::split_paths(path).any(|folder| folder.join(program).is_file());
    if let Some(&(program, package)) = PROGRAMS.iter().find(|(program, _)| !installed(program)) {
        return Err(Missing::Program { program, package });
    }
    match PLUGINS.iter().find(|plugin| !plugins.join(plugin).is_file()) {
        Some(plugin) => Err(Missing::Plugin { plugin, folder: plugins.into() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_one_by_one() {
        let folder = std::env::temp_dir().join(format!("nakhoda-preflight-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("made");
        let told = || find(folder.as_os_str(), &folder).expect_err("missing").to_string();
        for (program, package) in PROGRAMS {
            let told = told();
            assert!(told.contains(&format!("no {program} ")) && told.ends_with(package), "{told}");
            std::fs::write(folder.join(program), "").expect("written");
        }
        for plugin in PLUGINS {
            assert!(told().contains(&format!("no CNI plugin {plugin}:")));
            std::fs::write(folder.join(plugin), "").expect("written");
        }
        assert_eq!(find(folder.as_os_str(), &folder), Ok(()));
        std::fs::remove_dir_all(folder).expect("removed");
    }
}
