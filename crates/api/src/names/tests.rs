use super::*;

#[test]
fn labels_and_subdomains_differ_in_dots_and_length() {
    assert!(is_dns1123_label("a-1").is_empty());
    assert_eq!(is_dns1123_label("a.b"), ["must not contain dots"]);
    assert_eq!(is_dns1123_label(&"a".repeat(64)), ["must be no more than 63 characters"]);
    assert_eq!(
        is_dns1123_label("A"),
        [
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
        ]
    );
    assert!(is_dns1123_subdomain("a.b-c.d").is_empty());
    assert_eq!(
        is_dns1123_subdomain("a..b"),
        [
            r"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
        ]
    );
    assert!(!is_dns1035_label("1a").is_empty());
}

#[test]
fn qualified_names_say_which_part_is_wrong() {
    assert!(is_qualified_name("app.kubernetes.io/Name_1").is_empty());
    assert_eq!(is_qualified_name("/a"), ["prefix part must be non-empty"]);
    assert_eq!(is_qualified_name("")[0], "name part must be non-empty");
    assert!(is_qualified_name("a b")[0].starts_with("name part must consist of alphanumeric characters"));
    assert!(is_qualified_name("a/b/c")[0].starts_with("a valid label key must consist"));
    assert!(is_label_value("").is_empty());
    assert!(is_annotation_key("Example.COM/x").is_empty());
}

#[test]
fn ports_have_numbers_and_names() {
    assert_eq!(is_valid_port_num(0), ["must be between 1 and 65535, inclusive"]);
    assert!(is_valid_port_name("http-1").is_empty());
    assert_eq!(is_valid_port_name("12"), ["must contain at least one letter (a-z)"]);
    assert_eq!(
        is_valid_port_name("-a--b"),
        ["must not contain consecutive hyphens", "must not begin or end with a hyphen"]
    );
}

#[test]
fn path_segments_addresses_and_networks() {
    assert_eq!(is_path_segment_name(".."), ["may not be '..'"]);
    assert_eq!(is_path_segment_name("a/%"), ["may not contain '/'", "may not contain '%'"]);
    assert!(is_valid_ip("10.0.0.1").is_empty() && is_valid_ip("fd00::1").is_empty());
    assert_eq!(is_valid_ip("10.0.00.01"), ["must not have leading 0s"]);
    assert_eq!(is_valid_ip("::ffff:10.0.0.1"), ["must not be an IPv4-mapped IPv6 address"]);
    assert_eq!(is_valid_ip("10.0.0."), ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]);
    assert!(is_valid_cidr("10.0.0.0/8").is_empty() && !is_valid_cidr("10.0.0.0/33").is_empty());
    assert!(is_valid_cidr("fd00::/64").is_empty() && !is_valid_cidr("fd00::").is_empty());
}
