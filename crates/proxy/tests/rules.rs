//! The rules on the kernel's own nftables, in a network namespace that this test makes and removes:
//! a client, the node, and two endpoints. Needs root, `ip`, `nft` and `nsenter`.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use nakhoda_proxy::nft::text;
use nakhoda_proxy::table::{Element, Set};

const NETNS: &str = "nakhoda-test-proxy";

struct Namespace;

impl Namespace {
    fn new() -> Self {
        run(&["ip", "netns", "add", NETNS]);
        run(&["ip", "-n", NETNS, "link", "set", "lo", "up"]);
        for address in ["10.96.0.5/32", "10.1.0.2/32", "10.1.0.3/32", "192.0.2.1/32"] {
            run(&["ip", "-n", NETNS, "addr", "add", address, "dev", "lo"]);
        }
        Self
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        run(&["ip", "netns", "del", NETNS]);
    }
}

fn run(command: &[&str]) {
    let output = Command::new(command[0]).args(&command[1..]).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn nft(script: &str) {
    let net = format!("--net=/run/netns/{NETNS}");
    let mut child = Command::new("nsenter").args([&net, "nft", "-f", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{script}");
}

/// Answers each connection with the address that it came to.
fn serve(address: &'static str) {
    let listener = TcpListener::bind(address).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            stream.unwrap().write_all(address.as_bytes()).unwrap();
        }
    });
}

fn ask(address: &str) -> std::io::Result<String> {
    let address: SocketAddr = address.parse().unwrap();
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn element(set: Set, key: &str, targets: &[&str]) -> Element {
    Element { set, key: key.into(), targets: targets.iter().map(|&t| t.into()).collect() }
}

fn answers(address: &str) -> BTreeSet<String> {
    (0..40).map(|_| ask(address).unwrap()).collect()
}

#[test]
fn services_balance_stick_refuse_and_change_in_one_transaction() {
    let _namespace = Namespace::new();
    let namespace = std::fs::File::open(format!("/run/netns/{NETNS}")).unwrap();
    // This thread and those it spawns live in the namespace from here on.
    rustix::thread::move_into_link_name_space(
        std::os::fd::AsFd::as_fd(&namespace),
        Some(rustix::thread::LinkNameSpaceType::Network),
    )
    .unwrap();
    let (one, two) = ("10.1.0.2:8080", "10.1.0.3:8080");
    serve(one);
    serve(two);
    let both = ["10.1.0.2 . 8080", "10.1.0.3 . 8080"];
    let plain = element(Set::Addresses, "10.96.0.5 . tcp . 80", &both);
    let sticky = element(Set::Addresses, "10.96.0.5 . tcp . 81", &both);
    let mut script = text::base("10.0.0.0/8", &BTreeSet::from([60]));
    text::add(
        &mut script,
        &[
            plain.clone(),
            sticky,
            element(Set::StickyAddresses(60), "10.96.0.5 . tcp . 81", &[]),
            element(Set::Ports, "tcp . 30080", &both),
            element(Set::EmptyAddresses, "10.96.0.5 . tcp . 82", &[]),
        ],
    );
    nft(&script);
    assert_eq!(answers("10.96.0.5:80"), BTreeSet::from([one.into(), two.into()]));
    assert_eq!(answers("192.0.2.1:30080").len(), 2);
    assert_eq!(answers("10.96.0.5:81").len(), 1);
    assert_eq!(ask("10.96.0.5:82").unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);

    let fewer = element(Set::Addresses, "10.96.0.5 . tcp . 80", &both[1..]);
    let mut change = String::new();
    text::delete(&mut change, &[plain]);
    text::add(&mut change, &[fewer]);
    nft(&change);
    assert_eq!(answers("10.96.0.5:80"), BTreeSet::from([two.into()]));
}
