use serde_json::{Value, json};

use super::*;
use crate::structural::Schema;

fn schema() -> Schema {
    let schema = json!({"type": "object", "properties": {
        "a": {"type": "string"}, "n": {"type": "integer"}, "f": {"type": "number"}, "ok": {"type": "boolean"},
        "list": {"type": "array", "items": {"type": "integer"}},
        "map": {"type": "object", "additionalProperties": {"type": "string"}},
        "when": {"type": "string", "format": "date-time"}, "span": {"type": "string", "format": "duration"},
        "odd-name": {"type": "string"}, "any": {"x-kubernetes-int-or-string": true},
    }});
    Schema::parse(&schema).expect("a schema")
}

fn object() -> Value {
    json!({"a": "héllo", "n": 3, "f": 2, "list": [3, 1, 2], "map": {"k": "v"}, "when": "2026-01-02T03:04:05Z",
        "span": "1h30m", "odd-name": "odd", "any": 5, "apiVersion": "e/v1", "kind": "K", "metadata": {"name": "x"}})
}

fn value(text: &str) -> Value {
    let (schema, object) = (schema(), object());
    let variables = Variables::from([("self".to_owned(), Type::of(&schema, true))]);
    let (program, _) = Program::compile(text, &variables).unwrap_or_else(|error| panic!("{text}: {error}"));
    let outcome = program.run(&[("self", Val::of(&object, Some(&schema)))], &mut Budget::new(eval::PER_CALL));
    match outcome {
        Ok(value) => value.json(),
        Err(error) => json!({"error": error.to_string()}),
    }
}

fn faults(text: &str) -> String {
    let schema = schema();
    let variables = Variables::from([("self".to_owned(), Type::of(&schema, true))]);
    Program::compile(text, &variables).map(|_| String::new()).unwrap_or_else(|error| error.to_string())
}

#[test]
fn expressions_have_the_values_that_they_have_upstream() {
    for (text, expected) in [
        ("1 + 2 * 3 - 4 / 2", json!(5)),
        ("self.n > 2 && self.f == 2.0", json!(true)),
        ("size(self.a)", json!(5)),
        ("self.a.startsWith('h') ? 'yes' : 'no'", json!("yes")),
        ("has(self.ok) || self.n == 3", json!(true)),
        ("self.list.all(x, x > 0)", json!(true)),
        ("self.list.exists_one(x, x == 2)", json!(true)),
        ("self.list.filter(x, x > 1).map(x, x * 2)", json!([6, 4])),
        ("self.list.map(x, x > 1, x)", json!([3, 2])),
        ("self.list.sum() + self.list.min() + self.list.max()", json!(10)),
        ("self.list.isSorted()", json!(false)),
        ("self.map.all(k, self.map[k] == 'v')", json!(true)),
        ("'k' in self.map && 2 in self.list", json!(true)),
        ("self.?ok.orValue(true)", json!(true)),
        ("self.map[?'none'].hasValue()", json!(false)),
        ("optional.of(1).optMap(x, x + 1).value()", json!(2)),
        ("self.when.getFullYear()", json!(2026)),
        ("self.when + self.span > timestamp('2026-01-02T04:00:00Z')", json!(true)),
        ("duration('90s').getMinutes()", json!(1)),
        ("self.odd__dash__name", json!("odd")),
        ("type(self.any) == int && self.any == 5", json!(true)),
        ("dyn(1) == 1.0", json!(true)),
        ("quantity('1500m').add(quantity('500m')).isInteger()", json!(true)),
        ("quantity('1Gi').isGreaterThan(quantity('1G'))", json!(true)),
        ("self.a.matches('^h.*o$')", json!(true)),
        ("'a,b'.split(',').join('-')", json!("a-b")),
        ("'abc'.substring(1, 2) + 'abc'.charAt(0) + 'ABC'.lowerAscii()", json!("baabc")),
        ("'a1b22'.findAll('[0-9]+')", json!(["1", "22"])),
        ("'%s is %d'.format(['x', 1])", json!("x is 1")),
        ("sets.contains([1, 2], [2])", json!(true)),
        ("math.greatest(1, 5, 3)", json!(5)),
        ("cidr('10.0.0.0/8').containsIP('10.1.2.3') && ip('::1').isLoopback()", json!(true)),
        ("url('https://a.b:80/c?d=e').getPort()", json!("80")),
        ("semver('1.2.3').isLessThan(semver('1.10.0'))", json!(true)),
        ("cel.bind(x, self.n, x * x)", json!(9)),
        ("string(self.n) + r'\\d' + \"\\u00e9\"", json!("3\\dé")),
        ("self.metadata.name == 'x' && self.kind == 'K'", json!(true)),
        ("[1, 2][5]", json!({"error": "index out of bounds: 5"})),
        ("self.map['none']", json!({"error": "no such key: none"})),
        ("1 / 0 == 1 || true", json!(true)),
        ("9223372036854775807 + 1", json!({"error": "integer overflow"})),
        ("format.dns1123Label().validate('A').hasValue()", json!(true)),
        ("{'a': 1}.a + {'a': 1}['a']", json!(2)),
        ("-(-5) % 3", json!(2)),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn what_cannot_be_is_told_in_the_words_of_upstream() {
    for (text, told) in [
        ("self.b == 1", "ERROR: <input>:1:5: undefined field 'b'\n | self.b == 1\n | ....^"),
        (
            "self.a == 1",
            "ERROR: <input>:1:8: found no matching overload for '_==_' applied to '(string, int)'\n | self.a == 1\n | .......^",
        ),
        ("foo(self)", "ERROR: <input>:1:4: undeclared reference to 'foo' (in container '')\n | foo(self)\n | ...^"),
        ("foo", "ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n | foo\n | ^"),
        (
            "self.a.all(x, x == self.a) ",
            "ERROR: <input>:1:5: expression of type 'string' cannot be range of a comprehension (must be list, map, or dynamic)\n | self.a.all(x, x == self.a) \n | ....^",
        ),
        (
            "self.a ==",
            "ERROR: <input>:1:10: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n | self.a ==\n | .........^",
        ),
        ("a b c", "ERROR: <input>:1:3: Syntax error: mismatched input 'b' expecting <EOF>\n | a b c\n | ..^"),
        ("self.", "ERROR: <input>:1:6: Syntax error: no viable alternative at input '.'\n | self.\n | .....^"),
        ("self.+1", "ERROR: <input>:1:6: Syntax error: no viable alternative at input '.+'\n | self.+1\n | .....^"),
        ("self.list[0", "ERROR: <input>:1:12: Syntax error: missing ']' at '<EOF>'\n | self.list[0\n | ...........^"),
        ("[1", "ERROR: <input>:1:3: Syntax error: mismatched input '<EOF>' expecting {']', ','}\n | [1\n | ..^"),
        (
            "self.n.5",
            "ERROR: <input>:1:7: Syntax error: extraneous input '.5' expecting <EOF>\n | self.n.5\n | ......^",
        ),
        (
            "1 # 2",
            "ERROR: <input>:1:3: Syntax error: token recognition error at: '#'\n | 1 # 2\n | ..^\nERROR: <input>:1:5: Syntax error: extraneous input '2' expecting <EOF>\n | 1 # 2\n | ....^",
        ),
    ] {
        assert_eq!(faults(text), told);
    }
}

#[test]
fn work_is_bounded() {
    let list: Vec<i64> = (0..1000).collect();
    let object = json!(list);
    let schema = Schema::parse(&json!({"type": "array", "items": {"type": "integer"}})).expect("a schema");
    let variables = Variables::from([("self".to_owned(), Type::of(&schema, false))]);
    let text = "self.all(x, self.all(y, self.all(z, x + y + z >= 0)))";
    let (program, _) = Program::compile(text, &variables).expect("it is one");
    let outcome = program.run(&[("self", Val::of(&object, Some(&schema)))], &mut Budget::new(eval::PER_CALL));
    assert_eq!(outcome.expect_err("too much"), RunError::Cost);
}

#[test]
fn long_chains_are_refused() {
    for text in [
        format!("1{} > 0", " + 1".repeat(5000)),
        format!("{}true", "!".repeat(5000)),
        format!("self{}", ".a".repeat(5000)),
        format!("[]{}", "[0]".repeat(5000)),
        format!("{}1", "-".repeat(5000)),
    ] {
        assert!(faults(&text).contains("expression recursion limit exceeded"), "{}", &text[..20]);
    }
}
