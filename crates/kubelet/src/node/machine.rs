//! What this machine is and has, read from the kernel and the system's files.

use std::path::Path;

/// The machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Cores.
    pub cores: i64,
    /// Bytes of memory.
    pub memory: i64,
    /// Bytes of the disk that holds the kubelet's directory.
    pub disk: i64,
    /// Of `/etc/machine-id`.
    pub machine_id: String,
    /// Of the firmware.
    pub system_uuid: String,
    /// New at each boot.
    pub boot_id: String,
    /// The running kernel.
    pub kernel: String,
    /// The distribution's name for people.
    pub os_image: String,
    /// As Go names it.
    pub architecture: &'static str,
}

/// What is left at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Bytes of memory.
    pub memory: i64,
    /// Hundredths of the disk.
    pub disk: i64,
    /// Hundredths of the disk's inodes.
    pub inodes: i64,
    /// Process ids.
    pub pids: i64,
    /// Process ids in all.
    pub pids_max: i64,
}

// === impl Machine ===

impl Machine {
    /// Looks; `root` is the kubelet's directory.
    #[must_use]
    pub fn read(root: &Path) -> Self {
        let uname = rustix::system::uname();
        let disk = rustix::fs::statvfs(root).map(|fs| fs.f_blocks.saturating_mul(fs.f_frsize)).unwrap_or_default();
        let os = file("/etc/os-release");
        let name = os.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or("Linux").trim_matches('"');
        Self {
            cores: std::thread::available_parallelism().map_or(1, |n| i64::try_from(n.get()).unwrap_or(1)),
            memory: meminfo("MemTotal"),
            disk: i64::try_from(disk).unwrap_or(i64::MAX),
            machine_id: file("/etc/machine-id").trim().into(),
            system_uuid: file("/sys/class/dmi/id/product_uuid").trim().into(),
            boot_id: file("/proc/sys/kernel/random/boot_id").trim().into(),
            kernel: uname.release().to_string_lossy().into_owned(),
            os_image: name.into(),
            architecture: crate::image::archive::go_arch(),
        }
    }
}

// === impl Left ===

impl Left {
    /// Looks; `root` is the kubelet's directory.
    #[must_use]
    pub fn read(root: &Path) -> Self {
        let share = |part: u64, whole: u64| {
            (part * 100).checked_div(whole).and_then(|share| i64::try_from(share).ok()).unwrap_or(100)
        };
        let (disk, inodes) = rustix::fs::statvfs(root)
            .map(|fs| (share(fs.f_bavail, fs.f_blocks), share(fs.f_favail, fs.f_files)))
            .unwrap_or((100, 100));
        let number = |path: &str| file(path).trim().parse::<i64>().ok();
        let most = number("/proc/sys/kernel/pid_max").unwrap_or(i64::MAX);
        let threads =
            file("/proc/loadavg").split('/').nth(1).and_then(|s| s.split(' ').next()?.parse().ok()).unwrap_or(0);
        Self { memory: meminfo("MemAvailable"), disk, inodes, pids: most.saturating_sub(threads), pids_max: most }
    }
}

fn file(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn meminfo(name: &str) -> i64 {
    let text = file("/proc/meminfo");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|l| l.trim().split(' ').next()?.parse::<i64>().ok()).unwrap_or(0) * 1024
}
