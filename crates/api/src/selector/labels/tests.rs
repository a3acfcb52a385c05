use super::*;

fn matches(selector: &str, labels: &[(&str, &str)]) -> bool {
    LabelSelector::parse(selector).expect("a selector").matches(labels)
}

#[test]
fn requirements_match_as_documented() {
    let labels = &[("a", "1"), ("b", "x")];
    for yes in ["", "a=1", "a==1", "a!=2", "c!=1", "a in (1,2)", "c notin (1)", "b", "!c", "a>0", "a<2", "a=1,b=x"] {
        assert!(matches(yes, labels), "{yes}");
    }
    for no in ["a=2", "c=1", "a in (2)", "c", "!a", "a>1", "b<5", "a=1,b=y", "a notin (1)"] {
        assert!(!matches(no, labels), "{no}");
    }
}

#[test]
fn printing_and_parsing_are_inverse_and_sort_by_key() {
    for (text, printed) in [
        ("b=1,a", "a,b=1"),
        ("x in (c, a,b)", "x in (a,b,c)"),
        ("x notin (a)", "x notin (a)"),
        ("!x", "!x"),
        ("in in (in)", "in in (in)"),
        ("x=", "x="),
        ("x in (,)", "x in ()"),
        ("a.b/c != d", "a.b/c!=d"),
    ] {
        let selector = LabelSelector::parse(text).expect(text);
        assert_eq!(selector.to_string(), printed);
        assert_eq!(LabelSelector::parse(printed).expect(printed), selector);
    }
}

#[test]
fn faults_read_as_upstream_words_them() {
    for (text, error) in [
        ("a,,b", "found ',', expected: identifier after ','"),
        ("=b", "found '=', expected: !, identifier, or 'end of string'"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        (
            "a>x",
            "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
        ),
        (
            "-=1",
            "unable to parse requirement: <nil>: Invalid value: \"-\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        ),
    ] {
        assert_eq!(LabelSelector::parse(text).expect_err(text).to_string(), error);
    }
}

#[test]
fn no_text_of_symbols_and_words_panics() {
    let words = ["a", "in", "notin", "(", ")", ",", "=", "!", "!=", ">", " ", "é", "=="];
    for n in 0..words.len().pow(4) {
        let text: String = (0..4).map(|i| words[n / words.len().pow(i) % words.len()]).collect();
        if let Ok(selector) = LabelSelector::parse(&text) {
            assert_eq!(LabelSelector::parse(&selector.to_string()), Ok(selector), "{text}");
        }
    }
}

#[test]
fn an_absent_selector_matches_nothing_and_an_empty_one_everything() {
    let none: &[(&str, &str)] = &[];
    assert!(!from_typed(None).expect("a selector").matches(none));
    assert!(from_typed(Some(&meta::LabelSelector::default())).expect("a selector").matches(none));
}
