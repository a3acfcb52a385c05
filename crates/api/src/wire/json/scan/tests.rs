use super::*;

fn fault(text: &str) -> String {
    let mut scanner = Scanner::new(text);
    scanner.skip().and_then(|_| scanner.finish()).expect_err("is no JSON").0
}

#[test]
fn faults_read_as_in_go() {
    for (text, expected) in [
        ("", "unexpected end of JSON input"),
        ("{", "unexpected end of JSON input"),
        ("{x", "invalid character 'x' looking for beginning of object key string"),
        (r#"{"a" 1}"#, "invalid character '1' after object key"),
        (r#"{"a":1 "b""#, "invalid character '\"' after object key:value pair"),
        ("[1 2]", "invalid character '2' after array element"),
        ("[1,]", "invalid character ']' looking for beginning of value"),
        ("{} x", "invalid character 'x' after top-level value"),
        ("trze", "invalid character 'z' in literal true (expecting 'u')"),
        ("\"\\x\"", "invalid character 'x' in string escape code"),
        ("1.x", "invalid character 'x' after decimal point in numeric literal"),
    ] {
        assert_eq!(fault(text), expected, "{text}");
    }
}

#[test]
fn strings_are_unescaped() {
    let mut scanner = Scanner::new(r#""a\n\u00e4\ud83d\ude00\ud83dx""#);
    assert_eq!(scanner.string().expect("a string"), "a\n\u{e4}\u{1f600}\u{fffd}x");
}

#[test]
fn deep_nesting_is_refused_before_the_stack_ends() {
    assert_eq!(fault(&"[".repeat(100_000)), "exceeded max depth");
    assert_eq!(fault(&r#"{"a":"#.repeat(100_000)), "exceeded max depth");
}
