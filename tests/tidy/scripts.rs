//! What the scripts' functions answer, without a cluster: the checks of the machine, on recorded trees, and
//! systemd's units.

use std::path::{Path, PathBuf};
use std::process::Command;

use nakhoda_tests::source::root;

/// A folder that goes with the test.
struct Folder(PathBuf);

// === impl Folder ===

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("nakhoda-scripts-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("writable");
        Self(path)
    }

    fn put(&self, file: &str, text: &str) -> &Self {
        let path = self.0.join(file);
        std::fs::create_dir_all(path.parent().expect("below the folder")).expect("writable");
        std::fs::write(path, text).expect("writable");
        self
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Runs a script over the scripts' parts: whether it succeeded, and what it told.
fn bash(parts: &[&str], script: &str, settings: &[(&str, &Path)]) -> (bool, String) {
    let parts: String = parts.iter().map(|part| format!(". scripts/lib/{part}.sh; ")).collect();
    let mut command = Command::new("bash");
    command.current_dir(root()).args(["-c", &format!(". scripts/lib/common.sh; {parts} {script}")]);
    command.envs(settings.iter().map(|(name, value)| (name, value)));
    let output = command.output().expect("bash runs");
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// A check must fail and name its fix.
fn fails(check: &str, settings: &[(&str, &Path)], fix: &str) {
    let (passed, told) = bash(&["preconditions"], check, settings);
    assert!(!passed && told.contains(&format!("FIX: {fix}")), "{check}: {passed} {told}");
}

#[test]
fn what_the_machine_lacks_is_named_with_its_fix() {
    let folder = Folder::new("machine");
    let line = "  0: 0100007F:094B 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1 1 0\n";
    folder.put("net/tcp", line).put("net/tcp6", "");
    folder.put("v2/cgroup.controllers", "cpuset cpu io pids\n").put("v1/cpu/tasks", "").put("v1/memory/tasks", "");
    folder.put("inotify/max_user_instances", "64\n").put("inotify/max_user_watches", "192536\n");
    let at = |name: &str| folder.0.join(name);
    fails("check_ports", &[("TABLES", &folder.0)], "see who holds it, and end it: ss -ltnp 'sport = :2379'");
    fails("check_cgroups", &[("CGROUPS", &at("nothing"))], "mount -t cgroup2 none ");
    fails("check_cgroups", &[("CGROUPS", &at("v2"))], "boot with cgroup_enable=memory");
    fails("check_cgroups", &[("CGROUPS", &at("v1"))], &format!("mkdir -p {}/pids", at("v1").display()));
    fails("check_inotify", &[("INOTIFY", &at("inotify"))], "sysctl fs.inotify.max_user_instances=512");
    fails("check_clock", &[("NOW", Path::new("86400"))], "set it: timedatectl set-ntp true");
}

#[test]
fn a_machine_that_has_it_all_passes() {
    let folder = Folder::new("fit");
    folder.put("net/tcp", "").put("net/tcp6", "").put("cgroups/cgroup.controllers", "cpu memory pids\n");
    folder.put("inotify/max_user_instances", "128\n").put("inotify/max_user_watches", "8192\n");
    let (cgroups, inotify) = (folder.0.join("cgroups"), folder.0.join("inotify"));
    let settings: &[(&str, &Path)] = &[("TABLES", &folder.0), ("CGROUPS", &cgroups), ("INOTIFY", &inotify)];
    for check in ["check_ports", "check_cgroups", "check_inotify", "check_clock"] {
        let (passed, told) = bash(&["preconditions"], check, settings);
        assert!(passed, "{check}: {told}");
    }
}

#[test]
fn runit_supervises_where_systemd_is_not_the_first_process() {
    assert_eq!(bash(&["services"], "supervisor runit-init", &[]).1.trim(), "runit");
}

#[test]
fn systemd_understands_the_units_and_their_words_stay_as_they_are() {
    let folder = Folder::new("units");
    let script = r#"ROOT="/a b"; unit etcd bash -c 'echo "$HOME" 100%' '\d'"#;
    let (made, unit) = bash(&["services/systemd"], script, &[]);
    assert!(made, "{unit}");
    let words = r#"/bash" "-c" "echo \"$$HOME\" 100%%" "\\d""#;
    assert!(unit.lines().any(|line| line.starts_with("ExecStart=\"/") && line.ends_with(words)), "{unit}");
    for line in ["Restart=always", "StartLimitIntervalSec=0", "KillMode=process"] {
        assert!(unit.lines().any(|l| l == line), "{line}: {unit}");
    }
    verified(&folder, "nakhoda-etcd.service", &unit);
    let kubelet = std::fs::read_to_string(root().join("deploy/kubelet.service")).expect("readable");
    // systemd looks for the program
    verified(&folder, "kubelet.service", &kubelet.replace("/usr/local/bin/kubelet", "/bin/sh"));
}

fn verified(folder: &Folder, name: &str, unit: &str) {
    folder.put(name, unit);
    match Command::new("systemd-analyze").arg("verify").arg(folder.0.join(name)).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => eprintln!("systemd-analyze is not here ({error}): not verified by it"),
    }
}
