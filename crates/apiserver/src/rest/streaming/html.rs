//! Links of a proxied page: those that start at the backend's root are made to start at the proxy.

/// Attributes whose value is a link.
const ATTRIBUTES: [&str; 13] = [
    "action",
    "background",
    "cite",
    "codebase",
    "data",
    "formaction",
    "href",
    "icon",
    "longdesc",
    "manifest",
    "poster",
    "src",
    "usemap",
];

/// The page with its links pointing below `prefix`. What is not UTF-8 stays as it is.
#[must_use]
pub fn rewrite(page: &[u8], prefix: &str) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(page) else { return page.to_vec() };
    let mut out = String::with_capacity(text.len() + 256);
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        out.push_str(&rest[..start]);
        let end = rest[start..].find('>').map_or(rest.len(), |end| start + end + 1);
        out.push_str(&tag(&rest[start..end], prefix));
        rest = &rest[end..];
    }
    out.push_str(rest);
    out.into_bytes()
}

/// A link that starts at the root, below `prefix`; `None` for all others.
#[must_use]
pub fn rewrite_link(link: &str, prefix: &str) -> Option<String> {
    let at_root = link.starts_with('/') && !link.starts_with("//") && !link.starts_with(prefix);
    at_root.then(|| format!("{prefix}{link}"))
}

/// One tag with its links rewritten.
fn tag(tag: &str, prefix: &str) -> String {
    let mut out = String::with_capacity(tag.len());
    let mut rest = tag;
    while let Some(equals) = rest.find('=') {
        let (before, after) = (&rest[..equals], &rest[equals + 1..]);
        out.push_str(before);
        out.push('=');
        let name = before.trim_end().rsplit(|c: char| c.is_whitespace()).next().unwrap_or_default();
        let Some(quote) = after.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            rest = after;
            continue;
        };
        let Some(end) = after[1..].find(quote).map(|end| end + 1) else {
            rest = after;
            break;
        };
        let value = &after[1..end];
        let link =
            ATTRIBUTES.contains(&name.to_ascii_lowercase().as_str()).then(|| rewrite_link(value, prefix)).flatten();
        out.push(quote);
        out.push_str(link.as_deref().unwrap_or(value));
        out.push(quote);
        rest = &after[end + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIX: &str = "/api/v1/namespaces/a/pods/b/proxy";

    fn page(text: &str) -> String {
        String::from_utf8(rewrite(text.as_bytes(), PREFIX)).expect("text")
    }

    #[test]
    fn links_at_the_root_start_at_the_proxy() {
        assert_eq!(page(r#"<a href="/rewriteme">test</a>"#), format!(r#"<a href="{PREFIX}/rewriteme">test</a>"#));
        assert_eq!(page("<IMG class='x' SRC='/i.png'/>"), format!("<IMG class='x' SRC='{PREFIX}/i.png'/>"));
    }

    #[test]
    fn everything_else_stays() {
        for text in [
            r#"<a href="relative">x</a>"#,
            r#"<a href="//other/x">"#,
            r#"<a href="https://other/x">"#,
            r#"<p title="/x">a = "/b" < c"#,
            "<a href=\"/open",
            "",
        ] {
            assert_eq!(page(text), text);
        }
        let here = format!(r#"<a href="{PREFIX}/x">"#);
        assert_eq!(page(&here), here);
    }
}
