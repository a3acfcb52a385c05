//! From tokens to an expression.

use super::Issue;
use super::ast::{Each, EachKind, Expr, Node};
use super::lexer::{Placed, Token, tokens};

/// Deeper expressions are refused.
const DEPTH: usize = 50;
/// More operators, fields and indices are refused: each may be a level of the tree, and trees are walked by recursion.
const LINKS: usize = 500;
/// What may begin an operand, as upstream's parser lists it.
const OPERAND: &str =
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
/// The same behind the parenthesis of a call, in an index, and in a map.
const ARGUMENT: &str = "{'[', '{', '(', ')', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
const INDEX: &str = "{'[', '{', '(', '.', '-', '!', '?', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
const ENTRY: &str = "{'[', '{', '}', '(', '.', ',', '-', '!', '?', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
/// What may begin a field of a made value.
const FIELD: &str = "{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}";

/// Operators by rank, the weakest first.
const BINARY: [&[(&str, &str)]; 5] = [
    &[("||", "_||_")],
    &[("&&", "_&&_")],
    &[("==", "_==_"), ("!=", "_!=_"), ("<=", "_<=_"), (">=", "_>=_"), ("<", "_<_"), (">", "_>_"), ("in", "@in")],
    &[("+", "_+_"), ("-", "_-_")],
    &[("*", "_*_"), ("/", "_/_"), ("%", "_%_")],
];

type Parsed = Result<Node, Issue>;

struct Parser {
    text: Vec<char>,
    tokens: Vec<Placed>,
    next: usize,
    depth: usize,
    links: usize,
}

/// The expression, or all that is told of it: what is no token, and where the rest stops being one.
pub(super) fn parse(text: &str) -> Result<Node, Vec<Issue>> {
    let (tokens, mut issues) = tokens(text);
    let mut parser = Parser { text: text.chars().collect(), tokens, next: 0, depth: 0, links: 0 };
    let parsed = parser.expression().and_then(|node| match parser.peek() {
        Token::End => Ok(node),
        // without the token the rest would do, or not
        _ if parser.tokens.get(parser.next + 1).is_none_or(|(token, ..)| *token == Token::End) => {
            Err(parser.unexpected("<EOF>", "extraneous"))
        }
        _ => Err(parser.unexpected("<EOF>", "mismatched")),
    });
    match parsed {
        Ok(node) if issues.is_empty() => Ok(node),
        Ok(_) => Err(issues),
        Err(issue) => {
            issues.push(issue);
            Err(issues)
        }
    }
}

// === impl Parser ===

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.next.min(self.tokens.len() - 1)].0
    }

    fn at(&self) -> usize {
        self.tokens[self.next.min(self.tokens.len() - 1)].1
    }

    fn take(&mut self, sign: &str) -> bool {
        let is = match self.peek() {
            Token::Sign(found) => *found == sign,
            Token::Name(name) => sign == "in" && name == "in",
            _ => false,
        };
        self.next += usize::from(is);
        is
    }

    fn expect(&mut self, sign: &str) -> Result<usize, Issue> {
        let at = self.at();
        if self.take(sign) { Ok(at) } else { Err(self.unexpected(&format!("'{sign}'"), "mismatched")) }
    }

    fn unexpected(&self, wanted: &str, how: &str) -> Issue {
        Issue::new(self.at(), format!("Syntax error: {how} input '{}' expecting {wanted}", self.found()))
    }

    /// The next token as it is written.
    fn found(&self) -> String {
        match self.tokens.get(self.next) {
            None | Some((Token::End, ..)) => "<EOF>".to_owned(),
            Some((_, from, to)) => self.text[*from..(*to).min(self.text.len())].iter().collect(),
        }
    }

    /// Behind a dot: the parser tells what it has read since.
    fn no_field(&self, dot: usize) -> Issue {
        let end = self.tokens.get(self.next).map_or(self.text.len(), |(_, _, to)| *to);
        let read: String = self.text[dot..end.min(self.text.len())].iter().collect();
        Issue::new(self.at(), format!("Syntax error: no viable alternative at input '{read}'"))
    }

    /// The sign that ends what was begun; where the text ends instead, only it is missing.
    fn close(&mut self, sign: &str) -> Result<usize, Issue> {
        match self.peek() {
            Token::End => Err(Issue::new(self.at(), format!("Syntax error: missing '{sign}' at '<EOF>'"))),
            _ => self.expect(sign),
        }
    }

    /// Whether an operand begins here.
    fn begins(&self) -> bool {
        match self.peek() {
            Token::End | Token::Quoted(_) => false,
            Token::Sign(sign) => ["(", "[", "{", ".", "-", "!"].contains(sign),
            Token::Name(name) => name != "in",
            Token::Int(_) | Token::Uint(_) | Token::Double(_) | Token::Text(_) | Token::Bytes(_) => true,
        }
    }

    fn must_begin(&self, wanted: &str) -> Result<(), Issue> {
        if self.begins() { Ok(()) } else { Err(self.unexpected(wanted, "mismatched")) }
    }

    fn link(&mut self) -> Result<(), Issue> {
        self.links += 1;
        if self.links > LINKS {
            return Err(Issue::new(self.at(), format!("expression recursion limit exceeded: {LINKS}")));
        }
        Ok(())
    }

    fn expression(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Issue::new(self.at(), "expression recursion limit exceeded: 50"));
        }
        let condition = self.binary(0)?;
        let at = self.at();
        let node = if self.take("?") {
            let then = self.binary(0)?;
            self.expect(":")?;
            let otherwise = self.expression()?;
            call(at, "_?_:_", vec![condition, then, otherwise])
        } else {
            condition
        };
        self.depth -= 1;
        Ok(node)
    }

    fn binary(&mut self, rank: usize) -> Parsed {
        let Some(operators) = BINARY.get(rank) else { return self.unary() };
        let mut left = self.binary(rank + 1)?;
        loop {
            let at = self.at();
            let Some((_, name)) = operators.iter().find(|(sign, _)| self.take(sign)) else { return Ok(left) };
            self.link()?;
            let right = self.binary(rank + 1)?;
            left = call(at, name, vec![left, right]);
        }
    }

    fn unary(&mut self) -> Parsed {
        let at = self.at();
        if self.take("!") {
            self.link()?;
            let of = self.unary()?;
            return Ok(call(at, "!_", vec![of]));
        }
        if self.take("-") {
            self.link()?;
            let of = self.unary()?;
            return Ok(match of.expr {
                Expr::Int(n) => Node { expr: Expr::Int(n.wrapping_neg()), at },
                Expr::Double(n) => Node { expr: Expr::Double(-n), at },
                _ => call(at, "-_", vec![of]),
            });
        }
        self.member()
    }

    fn member(&mut self) -> Parsed {
        let mut node = self.primary()?;
        loop {
            let at = self.at();
            if self.take(".") {
                self.link()?;
                let optional = self.take("?");
                let field = self.field(at)?;
                let open = self.at();
                node = if !optional && self.take("(") {
                    let with = self.list(")")?;
                    method(open, node, field, with)?
                } else {
                    Node { expr: Expr::Select { of: node.into(), field, optional }, at }
                };
            } else if self.take("[") {
                self.link()?;
                let optional = self.take("?");
                self.must_begin(if optional { OPERAND } else { INDEX })?;
                let key = self.expression()?.into();
                self.close("]")?;
                node = Node { expr: Expr::Index { of: node.into(), key, optional }, at };
            } else if let Some(name) = self.opens().then(|| node.dotted()).flatten() {
                self.take("{");
                node = Node { expr: Expr::Made(name, self.fields()?), at };
            } else {
                return Ok(node);
            }
        }
    }

    fn opens(&self) -> bool {
        matches!(self.peek(), Token::Sign("{"))
    }

    /// The field behind the dot at this place.
    fn field(&mut self, dot: usize) -> Result<String, Issue> {
        match self.peek() {
            Token::Name(name) if name != "in" => self.name(),
            Token::Quoted(_) => self.name(),
            _ => Err(self.no_field(dot)),
        }
    }

    fn name(&mut self) -> Result<String, Issue> {
        match self.peek().clone() {
            Token::Name(name) | Token::Quoted(name) => {
                self.next += 1;
                Ok(name)
            }
            _ => Err(self.unexpected("IDENTIFIER", "mismatched")),
        }
    }

    fn primary(&mut self) -> Parsed {
        let at = self.at();
        let token = self.peek().clone();
        self.next += 1;
        let expr = match token {
            Token::Int(n) => Expr::Int(n),
            Token::Uint(n) => Expr::Uint(n),
            Token::Double(n) => Expr::Double(n),
            Token::Text(text) => Expr::Text(text),
            Token::Bytes(bytes) => Expr::Bytes(bytes),
            Token::Name(name) if name != "in" => return self.named(name, at),
            Token::Sign("(") => {
                let node = self.expression()?;
                self.close(")")?;
                return Ok(node);
            }
            Token::Sign("[") => Expr::List(self.items()?),
            Token::Sign("{") => Expr::Map(self.entries()?),
            Token::Sign(".") => {
                let name = self.name()?;
                return self.named(name, at);
            }
            _ => {
                self.next -= 1;
                return Err(self.unexpected(OPERAND, "mismatched"));
            }
        };
        Ok(Node { expr, at })
    }

    fn named(&mut self, name: String, at: usize) -> Parsed {
        let expr = match name.as_str() {
            "true" => Expr::Bool(true),
            "false" => Expr::Bool(false),
            "null" => Expr::Null,
            _ => {
                let open = self.at();
                if self.take("(") {
                    let with = self.list(")")?;
                    return function(open, &name, with);
                }
                Expr::Name(name)
            }
        };
        Ok(Node { expr, at })
    }

    fn list(&mut self, close: &str) -> Result<Vec<Node>, Issue> {
        let mut items = Vec::new();
        while !self.take(close) {
            self.must_begin(if items.is_empty() { ARGUMENT } else { OPERAND })?;
            items.push(self.expression()?);
            if !self.take(",") {
                self.close(close)?;
                break;
            }
        }
        Ok(items)
    }

    fn items(&mut self) -> Result<Vec<(Node, bool)>, Issue> {
        let mut items = Vec::new();
        while !self.take("]") {
            let optional = self.take("?");
            if !items.is_empty() && *self.peek() == Token::End {
                self.close("]")?;
            }
            items.push((self.expression()?, optional));
            if !self.take(",") {
                if !self.take("]") {
                    return Err(self.unexpected("{']', ','}", "mismatched"));
                }
                break;
            }
        }
        Ok(items)
    }

    fn fields(&mut self) -> Result<Vec<(String, Node, bool)>, Issue> {
        let mut fields = Vec::new();
        while !self.take("}") {
            let optional = self.take("?");
            if !matches!(self.peek(), Token::Name(_) | Token::Quoted(_)) {
                return Err(self.unexpected(FIELD, "mismatched"));
            }
            let name = self.name()?;
            self.expect(":")?;
            fields.push((name, self.expression()?, optional));
            if !self.take(",") {
                self.expect("}")?;
                break;
            }
        }
        Ok(fields)
    }

    fn entries(&mut self) -> Result<Vec<(Node, Node, bool)>, Issue> {
        let mut entries = Vec::new();
        while !self.take("}") {
            let optional = self.take("?");
            self.must_begin(if entries.is_empty() { ENTRY } else { OPERAND })?;
            let key = self.expression()?;
            self.expect(":")?;
            entries.push((key, self.expression()?, optional));
            if !self.take(",") {
                self.expect("}")?;
                break;
            }
        }
        Ok(entries)
    }
}

fn call(at: usize, name: &str, with: Vec<Node>) -> Node {
    Node { expr: Expr::Call { name: name.to_owned(), of: None, with }, at }
}

fn function(at: usize, name: &str, mut with: Vec<Node>) -> Parsed {
    if name == "has" && with.len() == 1 {
        return match with.remove(0).expr {
            Expr::Select { of, field, optional: false } => Ok(Node { expr: Expr::Has { of, field }, at }),
            _ => Err(Issue::new(at, "invalid argument to has() macro")),
        };
    }
    Ok(call(at, name, with))
}

/// A method, or one of the macros that look like one.
fn method(at: usize, of: Node, name: String, mut with: Vec<Node>) -> Parsed {
    let is_cel = matches!(&of.expr, Expr::Name(name) if name == "cel");
    if is_cel && name == "bind" && with.len() == 3 {
        let (within, value) = (with.remove(2), with.remove(1));
        let name = variable(with.remove(0), "cel.bind() variable names must be simple identifiers")?;
        return Ok(Node { expr: Expr::Bind { name, value: value.into(), within: within.into() }, at });
    }
    // math.greatest(…), ip.isCanonical(…), optional.of(…), sets.contains(…): functions with a dot in their name
    if let Expr::Name(space) = &of.expr
        && matches!(space.as_str(), "math" | "optional" | "sets" | "strings" | "ip" | "base64" | "format" | "jsonpatch")
        && (space != "ip" || name == "isCanonical")
    {
        return Ok(call(at, &format!("{space}.{name}"), with));
    }
    let kind = match (name.as_str(), with.len()) {
        ("all", 2) => EachKind::All,
        ("exists", 2) => EachKind::Exists,
        ("exists_one" | "existsOne", 2) => EachKind::ExistsOne,
        ("filter", 2) => EachKind::Filter,
        ("map", 2 | 3) => EachKind::Map,
        ("optMap" | "optFlatMap", 2) => {
            let step = with.remove(1);
            let variable = variable(with.remove(0), "optMap() variable name must be a simple identifier")?;
            let of_value = call(at, "@value", vec![of.clone()]);
            let body = Node { expr: Expr::Bind { name: variable, value: of_value.into(), within: step.into() }, at };
            let body = if name == "optMap" { call(at, "optional.of", vec![body]) } else { body };
            let has = Node { expr: Expr::Call { name: "hasValue".into(), of: Some(of.into()), with: Vec::new() }, at };
            return Ok(call(at, "_?_:_", vec![has, body, call(at, "optional.none", Vec::new())]));
        }
        _ => return Ok(Node { expr: Expr::Call { name, of: Some(of.into()), with }, at }),
    };
    let step = with.pop().ok_or_else(|| Issue::new(at, "argument is missing"))?;
    let filter = if with.len() == 2 { with.pop() } else { None };
    let name = variable(with.remove(0), "argument must be a simple name")?;
    Ok(Node { expr: Expr::Each(Box::new(Each { kind, range: of, name, filter, step })), at })
}

fn variable(node: Node, why: &str) -> Result<String, Issue> {
    match node.expr {
        Expr::Name(name) => Ok(name),
        _ => Err(Issue::new(node.at, why)),
    }
}
