//! Who asks, as far as the connection and the headers say.

use std::net::IpAddr;

use http::HeaderMap;
use nakhoda_api::Status;
use nakhoda_streams::headers::elements;

use crate::audit::trail::Origin;
use crate::request::Caller;
use crate::rest::path::decode;
use crate::serve::Peer;
use crate::user::User;

const EXTRA: &str = "impersonate-extra-";
const REMOTE_EXTRA: &str = "x-remote-extra-";
/// The websocket subprotocol that carries a bearer token: browsers cannot set headers.
const BEARER_PROTOCOL: &str = "base64url.bearer.authorization.k8s.io.";

/// Collects the credentials of a request.
pub fn caller(headers: &HeaderMap, peer: Option<&Peer>) -> Result<Caller, Status> {
    Ok(Caller {
        certificates: peer.map(|p| p.certificates.clone()).unwrap_or_default(),
        bearer: bearer(headers),
        remote: remote(headers),
        impersonate: impersonate(headers)?,
        address: peer.map(|p| p.address),
        agent: text(headers, "user-agent").to_owned(),
        origin: origin(headers),
        ..Caller::default()
    })
}

/// What proxies say of where a request comes from, and the id that it has.
fn origin(headers: &HeaderMap) -> Origin {
    let address = |text: &str| text.parse::<IpAddr>().ok().map(|address| address.to_string());
    let mut forwarded: Vec<_> = elements(headers, "x-forwarded-for").filter_map(address).collect();
    let real = address(text(headers, "x-real-ip").trim());
    forwarded.extend(real.filter(|real| !forwarded.contains(real)));
    Origin { id: text(headers, "audit-id").to_owned(), uri: String::new(), forwarded }
}

/// A header as text, empty if it is absent or not ASCII.
#[must_use]
pub fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let header = text(headers, "authorization");
    if let Some((scheme, token)) = header.split_once(' ') {
        let token = token.trim();
        return (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| token.to_owned());
    }
    let encoded = elements(headers, "sec-websocket-protocol").find_map(|p| p.strip_prefix(BEARER_PROTOCOL))?;
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, encoded).ok()?;
    String::from_utf8(bytes).ok().filter(|token| !token.is_empty())
}

/// Whom the headers of a proxy in front name.
fn remote(headers: &HeaderMap) -> Option<User> {
    let user = named(headers, ["x-remote-user", "x-remote-uid", "x-remote-group", REMOTE_EXTRA]);
    (!user.name.is_empty()).then_some(user)
}

/// The user of four sorts of headers: name, uid, groups, and what the last ones begin with.
fn named(headers: &HeaderMap, [name, uid, group, extra]: [&str; 4]) -> User {
    let mut user = User {
        name: text(headers, name).into(),
        uid: text(headers, uid).into(),
        groups: headers.get_all(group).iter().filter_map(|v| v.to_str().ok()).map(Into::into).collect(),
        ..User::default()
    };
    for (name, value) in headers {
        if let (Some(key), Ok(value)) = (name.as_str().strip_prefix(extra), value.to_str()) {
            user.extra.entry(decode(key)).or_default().push(value.into());
        }
    }
    user
}

fn impersonate(headers: &HeaderMap) -> Result<Option<User>, Status> {
    let user = named(headers, ["impersonate-user", "impersonate-uid", "impersonate-group", EXTRA]);
    match (user.name.is_empty(), user.uid.is_empty() && user.groups.is_empty() && user.extra.is_empty()) {
        (true, true) => Ok(None),
        (true, false) => {
            Err(Status::bad_request(format!("requested {} without impersonating a user name", go_debug(&user))))
        }
        (false, _) => Ok(Some(user)),
    }
}

/// The user as Go prints a struct: the text is part of the answer.
fn go_debug(user: &User) -> String {
    let list = |values: &[String]| {
        let quoted: Vec<_> = values.iter().map(|value| format!("{value:?}")).collect();
        format!("{{{}}}", quoted.join(", "))
    };
    let groups = if user.groups.is_empty() { "(nil)".to_owned() } else { list(&user.groups) };
    let pairs: Vec<_> = user.extra.iter().map(|(key, values)| format!("{key:?}:[]string{}", list(values))).collect();
    let extra = if pairs.is_empty() { "(nil)".to_owned() } else { format!("{{{}}}", pairs.join(", ")) };
    format!(
        "&user.DefaultInfo{{Name:{:?}, UID:{:?}, Groups:[]string{groups}, Extra:map[string][]string{extra}}}",
        user.name, user.uid
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, http::HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn a_token_comes_by_header_or_by_websocket_protocol() {
        let plain = caller(&headers(&[("authorization", "Bearer abc")]), None).expect("valid");
        assert_eq!(plain.bearer.as_deref(), Some("abc"));
        let socket =
            headers(&[("sec-websocket-protocol", "v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.YWJj")]);
        assert_eq!(caller(&socket, None).expect("valid").bearer.as_deref(), Some("abc"));
        assert_eq!(caller(&headers(&[("authorization", "Basic abc")]), None).expect("valid").bearer, None);
    }

    #[test]
    fn impersonation_needs_a_user() {
        let map = headers(&[
            ("impersonate-user", "jane"),
            ("impersonate-group", "a"),
            ("impersonate-group", "b"),
            ("impersonate-extra-x%2fy", "1"),
        ]);
        let user = caller(&map, None).expect("valid").impersonate.expect("somebody");
        assert_eq!((user.name.as_str(), user.groups.len()), ("jane", 2));
        assert_eq!(user.extra["x/y"], ["1"]);
        let refused = caller(&headers(&[("impersonate-group", "a")]), None).expect_err("no user");
        let told = r#"requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"a"}, Extra:map[string][]string(nil)} without impersonating a user name"#;
        assert_eq!((refused.code, refused.message.as_str()), (400, told));
    }
}
