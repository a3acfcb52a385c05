//! The pause program, written out as machine code: no toolchain, no libc, one page.
//!
//! It blocks SIGINT, SIGTERM and SIGCHLD and then takes them one by one: the first two end it, the
//! third makes it reap whatever was left to it. Blocking matters: as process 1 of its namespace it
//! would not be shown signals that it neither handles nor blocks.

/// Where the file is mapped.
const BASE: u64 = 0x40_0000;
/// The ELF header and one program header.
const HEADERS: u64 = 64 + 56;

#[rustfmt::skip]
const CODE: [u8; 0x63] = [
    // block: bits 2, 15 and 17 of a signal set on the stack
    0xb8, 0x02, 0x40, 0x01, 0x00,       // mov eax, 0x14002
    0x50,                               // push rax
    0x31, 0xff,                         // xor edi, edi           SIG_BLOCK
    0x48, 0x89, 0xe6,                   // mov rsi, rsp
    0x31, 0xd2,                         // xor edx, edx
    0x41, 0xba, 0x08, 0x00, 0x00, 0x00, // mov r10d, 8
    0xb8, 0x0e, 0x00, 0x00, 0x00,       // mov eax, 14            rt_sigprocmask
    0x0f, 0x05,                         // syscall
    // wait (at 0x1a)
    0x48, 0x89, 0xe7,                   // mov rdi, rsp
    0x31, 0xf6,                         // xor esi, esi
    0x31, 0xd2,                         // xor edx, edx
    0x41, 0xba, 0x08, 0x00, 0x00, 0x00, // mov r10d, 8
    0xb8, 0x80, 0x00, 0x00, 0x00,       // mov eax, 128           rt_sigtimedwait, without end
    0x0f, 0x05,                         // syscall
    0x83, 0xf8, 0x11,                   // cmp eax, 17            SIGCHLD
    0x74, 0x0c,                         // je reap
    0x83, 0xf8, 0x02,                   // cmp eax, 2             SIGINT
    0x74, 0x22,                         // je quit
    0x83, 0xf8, 0x0f,                   // cmp eax, 15            SIGTERM
    0x74, 0x1d,                         // je quit
    0xeb, 0xdb,                         // jmp wait
    // reap (at 0x3f)
    0x48, 0x83, 0xcf, 0xff,             // or rdi, -1
    0x31, 0xf6,                         // xor esi, esi
    0xba, 0x01, 0x00, 0x00, 0x00,       // mov edx, 1             WNOHANG
    0x45, 0x31, 0xd2,                   // xor r10d, r10d
    0xb8, 0x3d, 0x00, 0x00, 0x00,       // mov eax, 61            wait4
    0x0f, 0x05,                         // syscall
    0x85, 0xc0,                         // test eax, eax
    0x7f, 0xe7,                         // jg reap
    0xeb, 0xc0,                         // jmp wait
    // quit (at 0x5a)
    0x31, 0xff,                         // xor edi, edi
    0xb8, 0x3c, 0x00, 0x00, 0x00,       // mov eax, 60            exit
    0x0f, 0x05,                         // syscall
];

/// The program as an ELF file.
pub(super) fn program() -> Vec<u8> {
    let size = HEADERS + CODE.len() as u64;
    let mut file = Vec::with_capacity(size as usize);
    file.extend([0x7f, b'E', b'L', b'F', 2, 1, 1, 0]); // 64 bit, little endian, version 1, System V
    file.extend([0; 8]);
    half(&mut file, 2); // executable
    half(&mut file, 0x3e); // x86-64
    word(&mut file, 1);
    long(&mut file, BASE + HEADERS); // entry
    long(&mut file, 64); // program headers
    long(&mut file, 0); // no sections
    word(&mut file, 0);
    for value in [64, 56, 1, 64, 0, 0] {
        half(&mut file, value);
    }
    word(&mut file, 1); // load
    word(&mut file, 5); // read, execute
    for value in [0, BASE, BASE, size, size, 0x1000] {
        long(&mut file, value);
    }
    file.extend(CODE);
    file
}

fn half(file: &mut Vec<u8>, value: u16) {
    file.extend(value.to_le_bytes());
}

fn word(file: &mut Vec<u8>, value: u32) {
    file.extend(value.to_le_bytes());
}

fn long(file: &mut Vec<u8>, value: u64) {
    file.extend(value.to_le_bytes());
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn it_runs_until_sigterm_and_then_ends_with_zero() {
        let path = std::env::temp_dir().join(format!("pause-{}", std::process::id()));
        std::fs::write(&path, program()).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("made executable");
        let mut child = std::process::Command::new(&path).spawn().expect("started");
        let pid = rustix::process::Pid::from_child(&child);
        // Asleep it waits for signals; while it does, the kernel shows those as not blocked.
        while !sleeps(child.id()) {
            assert!(child.try_wait().expect("waited").is_none(), "it must not end by itself");
            std::thread::yield_now();
        }
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("signalled");
        assert_eq!(child.wait().expect("ended").code(), Some(0));
        std::fs::remove_file(&path).expect("removed");
    }

    fn sleeps(pid: u32) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status.lines().any(|line| line.starts_with("State:\tS"))
    }
}
