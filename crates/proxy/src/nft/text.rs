//! The language of `nft -f`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::table::{Element, Set};

/// Our table.
pub const TABLE: &str = "nakhoda_proxy";
/// How many marks there are to share out.
const MARKS: u32 = 65_536;

/// The bit of a connection's mark that says: keep the client's address. (The original port cannot stand
/// in a concatenated key of nft 1.0.6, so the decision is taken before the translation.)
const KEEP: &str = "0x10000";

/// The constant part: sets, maps and chains. It replaces the table that is there, if any.
#[must_use]
pub fn base(pods: &str, timeouts: &BTreeSet<u32>) -> String {
    let mut sticky = String::new();
    let mut stick = String::new();
    for seconds in timeouts {
        sticky.push_str(&affinity_sets(*seconds));
        stick.push_str(&affinity_rules(*seconds));
    }
    format!(
        r#"table ip {TABLE}
delete table ip {TABLE}
table ip {TABLE} {{
    map addresses {{ type ipv4_addr . inet_proto . inet_service . mark : ipv4_addr . inet_service; flags interval; }}
    map ports {{ type inet_proto . inet_service . mark : ipv4_addr . inet_service; flags interval; }}
    set cluster_ips {{ type ipv4_addr; }}
    set empty_addresses {{ type ipv4_addr . inet_proto . inet_service; }}
    set empty_ports {{ type inet_proto . inet_service; }}
    set keep_addresses {{ type ipv4_addr . inet_proto . inet_service; }}
    set keep_ports {{ type inet_proto . inet_service; }}
    set hairpins {{ type ipv4_addr . ipv4_addr; }}
{sticky}
    chain prerouting {{ type nat hook prerouting priority dstnat; jump translate; }}
    chain output {{ type nat hook output priority -100; jump translate; }}
    chain translate {{
        meta l4proto != {{ tcp, udp, sctp }} return
        meta mark set numgen random mod {MARKS}
{stick}
        ip daddr . meta l4proto . th dport @keep_addresses ct mark set ct mark | {KEEP}
        fib daddr type local meta l4proto . th dport @keep_ports ct mark set ct mark | {KEEP}
        meta l4proto {{ tcp, udp, sctp }} dnat ip to ip daddr . meta l4proto . th dport . meta mark map @addresses
        fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto {{ tcp, udp, sctp }} dnat ip to meta l4proto . th dport . meta mark map @ports
        meta mark set 0
    }}
    chain postrouting {{
        type nat hook postrouting priority srcnat;
        ct status dnat ip saddr . ip daddr @hairpins masquerade
        ct status dnat ct mark & {KEEP} == {KEEP} return
        ct status dnat ip saddr != {pods} masquerade
        ip saddr {pods} ip daddr != {pods} masquerade
    }}
    chain refuse {{
        ct state new ip daddr . meta l4proto . th dport @empty_addresses reject
        ct state new ip daddr @cluster_ips reject
        ct state new fib daddr type local meta l4proto . th dport @empty_ports reject
    }}
    chain refuse_input {{ type filter hook input priority filter; jump refuse; }}
    chain refuse_forward {{ type filter hook forward priority filter; jump refuse; }}
    chain refuse_output {{ type filter hook output priority filter; jump refuse; }}
}}
"#
    )
}

/// The commands that add elements.
pub fn add(script: &mut String, elements: &[Element]) {
    command(script, "add", elements, true);
}

/// The commands that delete elements.
pub fn delete(script: &mut String, elements: &[Element]) {
    command(script, "delete", elements, false);
}

fn affinity_sets(seconds: u32) -> String {
    format!(
        "    set sticky_addresses_{seconds} {{ type ipv4_addr . inet_proto . inet_service; }}
    set sticky_ports_{seconds} {{ type inet_proto . inet_service; }}
    map clients_{seconds} {{ type ipv4_addr . ipv4_addr . inet_proto . inet_service : mark; flags dynamic,timeout; timeout {seconds}s; size 65535; }}\n"
    )
}

/// A client that came before gets the mark that it had; each new connection keeps it for longer.
fn affinity_rules(seconds: u32) -> String {
    let client = "ip saddr . ip daddr . meta l4proto . th dport";
    let matches = [
        format!("ip daddr . meta l4proto . th dport @sticky_addresses_{seconds}"),
        format!("fib daddr type local meta l4proto . th dport @sticky_ports_{seconds}"),
    ];
    let mut rules = String::new();
    for matched in matches {
        rules.push_str(&format!("        {matched} meta mark set {client} map @clients_{seconds}\n"));
        rules.push_str(&format!("        {matched} update @clients_{seconds} {{ {client} : meta mark }}\n"));
    }
    rules
}

fn command(script: &mut String, verb: &str, elements: &[Element], with_targets: bool) {
    let mut by_set: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for element in elements {
        by_set.entry(name(element.set)).or_default().extend(entries(element, with_targets));
    }
    for (set, entries) in by_set {
        writeln!(script, "{verb} element ip {TABLE} {set} {{ {} }}", entries.join(", "))
            .expect("a String takes all that is written");
    }
}

fn entries(element: &Element, with_targets: bool) -> Vec<String> {
    let Element { set: _, key, targets } = element;
    if targets.is_empty() {
        return vec![key.clone()];
    }
    let share = |(first, last): (u32, u32), target: &String| {
        let to = if with_targets { format!(" : {target}") } else { String::new() };
        format!("{key} . {first}-{last}{to}")
    };
    shares(targets.len()).into_iter().zip(targets).map(|(range, target)| share(range, target)).collect()
}

/// Equal shares of the marks, as far as whole numbers allow.
fn shares(count: usize) -> Vec<(u32, u32)> {
    let count = u32::try_from(count).unwrap_or(MARKS).min(MARKS);
    (0..count).map(|i| (i * MARKS / count, (i + 1) * MARKS / count - 1)).collect()
}

fn name(set: Set) -> String {
    match set {
        Set::Addresses => "addresses".into(),
        Set::Ports => "ports".into(),
        Set::ClusterIps => "cluster_ips".into(),
        Set::EmptyAddresses => "empty_addresses".into(),
        Set::EmptyPorts => "empty_ports".into(),
        Set::KeepAddresses => "keep_addresses".into(),
        Set::KeepPorts => "keep_ports".into(),
        Set::Hairpins => "hairpins".into(),
        Set::StickyAddresses(seconds) => format!("sticky_addresses_{seconds}"),
        Set::StickyPorts(seconds) => format!("sticky_ports_{seconds}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_shared_out_whole() {
        assert_eq!(shares(1), [(0, 65_535)]);
        assert_eq!(shares(3), [(0, 21_844), (21_845, 43_689), (43_690, 65_535)]);
    }

    #[test]
    fn a_change_is_one_command_for_each_set() {
        let element = |key: &str, targets: &[&str]| Element {
            set: Set::Ports,
            key: key.into(),
            targets: targets.iter().map(|&t| t.into()).collect(),
        };
        let mut script = String::new();
        delete(&mut script, &[element("tcp . 1", &["1.1.1.1 . 2", "1.1.1.2 . 2"])]);
        add(&mut script, &[element("tcp . 1", &["1.1.1.1 . 2"])]);
        assert_eq!(
            script,
            "delete element ip nakhoda_proxy ports { tcp . 1 . 0-32767, tcp . 1 . 32768-65535 }\n\
             add element ip nakhoda_proxy ports { tcp . 1 . 0-65535 : 1.1.1.1 . 2 }\n"
        );
    }
}
