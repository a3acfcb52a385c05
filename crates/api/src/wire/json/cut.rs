//! Parts of JSON that is trusted, as text: one member, or all but some members.

use super::scan::{Scan, Scanner};

/// The text of a member of the root; none if there is no such member, or null.
pub(crate) fn member<'a>(json: &'a str, name: &str) -> Scan<Option<&'a str>> {
    let mut scan = Scanner::new(json);
    scan.peek()?;
    scan.open()?;
    let mut first = true;
    while let Some(key) = scan.key(first)? {
        first = false;
        let value = scan.skip()?;
        if key == name {
            return Ok(Some(value).filter(|value| *value != "null"));
        }
    }
    Ok(None)
}

/// The same JSON without the members of these names, wherever they stand.
pub(crate) fn without(json: &str, names: &[&str]) -> Scan<String> {
    let mut out = String::with_capacity(json.len());
    copy(&mut Scanner::new(json), names, &mut out)?;
    Ok(out)
}

fn copy(scan: &mut Scanner<'_>, names: &[&str], out: &mut String) -> Scan<()> {
    match scan.peek()? {
        b'{' => members(scan, names, out),
        b'[' => {
            scan.open()?;
            out.push('[');
            let mut first = true;
            while scan.element(first)? {
                if !first {
                    out.push(',');
                }
                first = false;
                copy(scan, names, out)?;
            }
            out.push(']');
            Ok(())
        }
        _ => {
            out.push_str(scan.skip()?);
            Ok(())
        }
    }
}

fn members(scan: &mut Scanner<'_>, names: &[&str], out: &mut String) -> Scan<()> {
    scan.open()?;
    out.push('{');
    let (mut first, mut empty) = (true, true);
    while let Some(key) = scan.key(first)? {
        first = false;
        scan.peek()?;
        if names.contains(&&*key) {
            scan.skip()?;
            continue;
        }
        if !empty {
            out.push(',');
        }
        empty = false;
        match key {
            std::borrow::Cow::Borrowed(plain) => {
                out.push('"');
                out.push_str(plain);
                out.push('"');
            }
            std::borrow::Cow::Owned(key) => out.push_str(&serde_json::Value::from(key).to_string()),
        }
        out.push(':');
        copy(scan, names, out)?;
    }
    out.push('}');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_cut_out_as_it_stands() {
        let json = r#"{"kind":"Pod","metadata":{"name":"a","n":1.50},"spec":{"metadata":{"name":"b"}}}"#;
        assert_eq!(member(json, "metadata"), Ok(Some(r#"{"name":"a","n":1.50}"#)));
        assert_eq!(member("{}", "metadata"), Ok(None));
        assert_eq!(member(r#"{"metadata":null}"#, "metadata"), Ok(None));
        assert!(member("{\"a\"", "metadata").is_err());
    }

    #[test]
    fn what_is_left_out_is_left_out_everywhere() {
        let json = r#" {"a":1,"b":[{"a":{"c":2},"d":"x\"a"},[],{}],"a":null,"e\"f":{"g":-0.50,"a":[]}} "#;
        let left = r#"{"b":[{"d":"x\"a"},[],{}],"e\"f":{"g":-0.50}}"#;
        assert_eq!(without(json, &["a"]).as_deref(), Ok(left));
        assert_eq!(without(left, &["x"]).as_deref(), Ok(left));
        assert!(without("{\"a\":", &["x"]).is_err());
    }
}
