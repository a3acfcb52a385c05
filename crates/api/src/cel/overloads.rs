//! What functions, operators and methods take and give, one a line.
//!
//! `A` and `B` stand for any type. Before an arrow stands what a method is of.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::library::authorizer::Stage;
use super::types::Type;

/// One form of a function.
pub(super) struct Overload {
    pub(super) of: Option<Type<'static>>,
    pub(super) with: Vec<Type<'static>>,
    pub(super) gives: Type<'static>,
}

/// The forms of a function.
pub(super) fn forms(name: &str) -> &'static [Overload] {
    BY_NAME.get(name).map(Vec::as_slice).unwrap_or_default()
}

static BY_NAME: LazyLock<HashMap<&'static str, Vec<Overload>>> = LazyLock::new(|| {
    let mut all: HashMap<&'static str, Vec<Overload>> = HashMap::new();
    for line in TABLE.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (of, rest) = line.split_once(" -> ").map_or((None, line), |(of, rest)| (Some(kind(of)), rest));
        let open = rest.find('(').expect("every line has a parenthesis");
        let close = rest.rfind(") ").expect("every line has a result");
        let with = split(&rest[open + 1..close]).into_iter().map(kind).collect();
        let gives = kind(rest[close + 2..].trim());
        all.entry(&rest[..open]).or_default().push(Overload { of, with, gives });
    }
    all
});

/// The arguments of a list, which may have lists of their own.
fn split(text: &'static str) -> Vec<&'static str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    if !text[start..].trim().is_empty() {
        parts.push(text[start..].trim());
    }
    parts
}

fn kind(text: &'static str) -> Type<'static> {
    if let Some(inner) = text.strip_suffix(')') {
        let (outer, inner) = inner.split_once('(').expect("an open parenthesis");
        let mut inner = split(inner).into_iter().map(kind);
        let mut next = || inner.next().expect("a type within");
        return match outer {
            "list" => Type::list(next()),
            "map" => {
                let key = next();
                Type::map(key, next())
            }
            _ => Type::Optional(Box::new(next())),
        };
    }
    match text {
        "dyn" => Type::Dyn,
        "bool" => Type::Bool,
        "int" => Type::Int,
        "uint" => Type::Uint,
        "double" => Type::Double,
        "string" => Type::Text,
        "bytes" => Type::Bytes,
        "timestamp" => Type::Time,
        "duration" => Type::Duration,
        "type" => Type::Type,
        "quantity" => Type::Named("kubernetes.Quantity"),
        "semver" => Type::Named("kubernetes.Semver"),
        "ip" => Type::Named("net.IP"),
        "cidr" => Type::Named("net.CIDR"),
        "url" => Type::Named("kubernetes.URL"),
        "authorizer" => Type::Named(Stage::Authorizer.kind()),
        "pathcheck" => Type::Named(Stage::Path.kind()),
        "groupcheck" => Type::Named(Stage::Group.kind()),
        "resourcecheck" => Type::Named(Stage::Resource.kind()),
        "decision" => Type::Named(Stage::Decision.kind()),
        "namedformat" => Type::Named("kubernetes.NamedFormat"),
        letter => Type::Any(letter.chars().next().expect("a letter")),
    }
}

const TABLE: &str = "
    _?_:_(bool, A, A) A
    _&&_(bool, bool) bool
    _||_(bool, bool) bool
    !_(bool) bool
    _==_(A, A) bool
    _!=_(A, A) bool
    @in(A, list(A)) bool
    @in(A, map(A, B)) bool
    @value(optional(A)) A
    -_(int) int
    -_(double) double
    _+_(int, int) int
    _+_(uint, uint) uint
    _+_(double, double) double
    _+_(string, string) string
    _+_(bytes, bytes) bytes
    _+_(list(A), list(A)) list(A)
    _+_(timestamp, duration) timestamp
    _+_(duration, timestamp) timestamp
    _+_(duration, duration) duration
    _-_(int, int) int
    _-_(uint, uint) uint
    _-_(double, double) double
    _-_(timestamp, timestamp) duration
    _-_(timestamp, duration) timestamp
    _-_(duration, duration) duration
    _*_(int, int) int
    _*_(uint, uint) uint
    _*_(double, double) double
    _/_(int, int) int
    _/_(uint, uint) uint
    _/_(double, double) double
    _%_(int, int) int
    _%_(uint, uint) uint
    size(string) int
    size(bytes) int
    size(list(A)) int
    size(map(A, B)) int
    string -> size() int
    bytes -> size() int
    list(A) -> size() int
    map(A, B) -> size() int
    int(int) int
    int(uint) int
    int(double) int
    int(string) int
    int(timestamp) int
    uint(int) uint
    uint(uint) uint
    uint(double) uint
    uint(string) uint
    double(int) double
    double(uint) double
    double(double) double
    double(string) double
    string(bool) string
    string(int) string
    string(uint) string
    string(double) string
    string(string) string
    string(bytes) string
    string(timestamp) string
    string(duration) string
    string(ip) string
    string(cidr) string
    bytes(string) bytes
    bytes(bytes) bytes
    bool(bool) bool
    bool(string) bool
    timestamp(string) timestamp
    timestamp(timestamp) timestamp
    timestamp(int) timestamp
    duration(string) duration
    duration(duration) duration
    dyn(A) dyn
    type(A) type
    string -> contains(string) bool
    string -> startsWith(string) bool
    string -> endsWith(string) bool
    string -> matches(string) bool
    matches(string, string) bool
    string -> charAt(int) string
    string -> indexOf(string) int
    string -> indexOf(string, int) int
    string -> lastIndexOf(string) int
    string -> lastIndexOf(string, int) int
    string -> lowerAscii() string
    string -> upperAscii() string
    string -> replace(string, string) string
    string -> replace(string, string, int) string
    string -> split(string) list(string)
    string -> split(string, int) list(string)
    string -> substring(int) string
    string -> substring(int, int) string
    string -> trim() string
    string -> reverse() string
    string -> format(list(dyn)) string
    list(string) -> join() string
    list(string) -> join(string) string
    string -> find(string) string
    string -> findAll(string) list(string)
    string -> findAll(string, int) list(string)
    strings.quote(string) string
    list(A) -> isSorted() bool
    list(A) -> sum() A
    list(A) -> min() A
    list(A) -> max() A
    list(A) -> indexOf(A) int
    list(A) -> lastIndexOf(A) int
    list(A) -> slice(int, int) list(A)
    list(list(A)) -> flatten() list(A)
    list(A) -> reverse() list(A)
    list(A) -> distinct() list(A)
    list(A) -> sort() list(A)
    list(A) -> first() optional(A)
    list(A) -> last() optional(A)
    sets.contains(list(A), list(A)) bool
    sets.equivalent(list(A), list(A)) bool
    sets.intersects(list(A), list(A)) bool
    math.greatest(A) dyn
    math.greatest(A, B) dyn
    math.greatest(A, B, dyn) dyn
    math.least(A) dyn
    math.least(A, B) dyn
    math.least(A, B, dyn) dyn
    math.abs(A) A
    math.ceil(double) double
    math.floor(double) double
    math.round(double) double
    math.trunc(double) double
    math.sign(A) A
    base64.encode(bytes) string
    base64.decode(string) bytes
    jsonpatch.escapeKey(string) string
    timestamp -> getFullYear() int
    timestamp -> getFullYear(string) int
    timestamp -> getMonth() int
    timestamp -> getMonth(string) int
    timestamp -> getDayOfMonth() int
    timestamp -> getDayOfMonth(string) int
    timestamp -> getDate() int
    timestamp -> getDate(string) int
    timestamp -> getDayOfWeek() int
    timestamp -> getDayOfWeek(string) int
    timestamp -> getDayOfYear() int
    timestamp -> getDayOfYear(string) int
    timestamp -> getHours() int
    timestamp -> getHours(string) int
    timestamp -> getMinutes() int
    timestamp -> getMinutes(string) int
    timestamp -> getSeconds() int
    timestamp -> getSeconds(string) int
    timestamp -> getMilliseconds() int
    timestamp -> getMilliseconds(string) int
    duration -> getHours() int
    duration -> getMinutes() int
    duration -> getSeconds() int
    duration -> getMilliseconds() int
    optional.of(A) optional(A)
    optional.ofNonZeroValue(A) optional(A)
    optional.none() optional(A)
    optional(A) -> hasValue() bool
    optional(A) -> value() A
    optional(A) -> or(optional(A)) optional(A)
    optional(A) -> orValue(A) A
    quantity(string) quantity
    isQuantity(string) bool
    quantity -> isInteger() bool
    quantity -> asInteger() int
    quantity -> asApproximateFloat() double
    quantity -> sign() int
    quantity -> add(quantity) quantity
    quantity -> add(int) quantity
    quantity -> sub(quantity) quantity
    quantity -> sub(int) quantity
    quantity -> isLessThan(quantity) bool
    quantity -> isGreaterThan(quantity) bool
    quantity -> compareTo(quantity) int
    semver(string) semver
    semver(string, bool) semver
    isSemver(string) bool
    isSemver(string, bool) bool
    semver -> major() int
    semver -> minor() int
    semver -> patch() int
    semver -> isLessThan(semver) bool
    semver -> isGreaterThan(semver) bool
    semver -> compareTo(semver) int
    ip(string) ip
    isIP(string) bool
    ip.isCanonical(string) bool
    ip -> family() int
    ip -> isUnspecified() bool
    ip -> isLoopback() bool
    ip -> isLinkLocalMulticast() bool
    ip -> isLinkLocalUnicast() bool
    ip -> isGlobalUnicast() bool
    cidr(string) cidr
    isCIDR(string) bool
    cidr -> ip() ip
    cidr -> prefixLength() int
    cidr -> masked() cidr
    cidr -> containsIP(string) bool
    cidr -> containsIP(ip) bool
    cidr -> containsCIDR(string) bool
    cidr -> containsCIDR(cidr) bool
    url(string) url
    isURL(string) bool
    url -> getScheme() string
    url -> getHost() string
    url -> getHostname() string
    url -> getPort() string
    url -> getEscapedPath() string
    url -> getQuery() map(string, list(string))
    authorizer -> path(string) pathcheck
    authorizer -> group(string) groupcheck
    authorizer -> serviceAccount(string, string) authorizer
    groupcheck -> resource(string) resourcecheck
    resourcecheck -> subresource(string) resourcecheck
    resourcecheck -> namespace(string) resourcecheck
    resourcecheck -> name(string) resourcecheck
    resourcecheck -> fieldSelector(string) resourcecheck
    resourcecheck -> labelSelector(string) resourcecheck
    pathcheck -> check(string) decision
    resourcecheck -> check(string) decision
    decision -> allowed() bool
    decision -> errored() bool
    decision -> reason() string
    decision -> error() string
    format.named(string) optional(namedformat)
    format.dns1123Label() namedformat
    format.dns1123Subdomain() namedformat
    format.dns1035Label() namedformat
    format.qualifiedName() namedformat
    format.labelValue() namedformat
    format.uri() namedformat
    format.uuid() namedformat
    format.byte() namedformat
    format.date() namedformat
    format.datetime() namedformat
    namedformat -> validate(string) optional(list(string))
    _<_(bool, bool) bool
    _<_(int, int) bool
    _<_(int, uint) bool
    _<_(int, double) bool
    _<_(uint, uint) bool
    _<_(uint, int) bool
    _<_(uint, double) bool
    _<_(double, double) bool
    _<_(double, int) bool
    _<_(double, uint) bool
    _<_(string, string) bool
    _<_(bytes, bytes) bool
    _<_(timestamp, timestamp) bool
    _<_(duration, duration) bool
";

/// The comparisons that take what `<` takes.
pub(super) fn alias(name: &str) -> &str {
    match name {
        "_<=_" | "_>_" | "_>=_" => "_<_",
        other => other,
    }
}
