use super::*;
use serde_json::json;

fn told(template: &str) -> String {
    let value = json!({
        "kind": "List",
        "items": [
            {"metadata": {"name": "a", "annotations": {"x.y/z": "deep"}}, "n": 1,
             "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Other", "status": "False"}]}},
            {"metadata": {"name": "b"}, "n": 2},
        ],
    });
    Template::parse(template).expect("a template").text(&value)
}

#[test]
fn paths_texts_and_ranges_are_told_as_kubectl_tells_them() {
    let cases = [
        ("{.kind}", "List"),
        (".kind", "List"),
        ("{.items[*].metadata.name}", "a b"),
        ("{.items[0].metadata.name}", "a"),
        ("{.items[-1:].metadata.name}", "b"),
        ("{.items[0:1].metadata.name}", "a"),
        ("{..name}", "a b"),
        (r"{.items[0].metadata.annotations.x\.y/z}", "deep"),
        ("{.items[0].metadata.annotations['x.y/z']}", "deep"),
        (r#"{range .items[*]}{.metadata.name}{"\t"}{.n}{"\n"}{end}"#, "a\t1\nb\t2\n"),
        (r#"{.items[?(@.metadata.name=="b")].n}"#, "2"),
        (r#"{.items[0].status.conditions[?(@.type=="Ready")].status}"#, "True"),
        ("{.items[?(@.n > 1)].metadata.name}", "b"),
        ("{.items[?(@.status)].metadata.name}", "a"),
        ("x{.none}y", "xy"),
    ];
    for (template, text) in cases {
        assert_eq!(told(template), text, "{template}");
    }
}

#[test]
fn what_is_not_a_template_says_why() {
    let long = format!("{{{}}}", ".a".repeat(4000));
    for template in [
        "{.a",
        "{range .a}",
        "{end}",
        "{.a[x]}",
        "{.items[?(@.n == )]}",
        "{)}",
        "{.a[?(@..[?(@..[?(@.b)])])]}",
        "{=}",
        "{.a )}",
        &long,
    ] {
        assert!(Template::parse(template).is_err(), "{template}");
    }
}

#[test]
fn only_what_is_found_again_and_again_is_bounded() {
    let deep = (0..100).fold(json!(0), |inner, _| json!({"a": inner}));
    let steps = "..".repeat(8);
    assert_eq!(walk(&parse::path(&mut steps.as_str()).expect("a path"), &deep, &deep).len(), MOST);
    let wide = json!({"items": vec![1; MOST + 1]});
    let all = Template::parse("{.items[*]}").expect("a template");
    assert_eq!(all.text(&wide).split(' ').count(), MOST + 1);
}
