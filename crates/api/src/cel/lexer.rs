//! From text to tokens.

use super::Issue;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(String),
    Bytes(Vec<u8>),
    Name(String),
    /// A name in backticks, which may be any text.
    Quoted(String),
    Sign(&'static str),
    End,
}

const SIGNS: [&str; 25] = [
    "==", "!=", "<=", ">=", "&&", "||", "(", ")", "[", "]", "{", "}", ".", ",", ":", "?", "<", ">", "!", "+", "-", "*",
    "/", "%", "=",
];

/// A token, where it stands, and where it ends.
pub(super) type Placed = (Token, usize, usize);

/// All tokens, and what between them is none.
pub(super) fn tokens(text: &str) -> (Vec<Placed>, Vec<Issue>) {
    let chars: Vec<char> = text.chars().collect();
    let mut lexer = Lexer { chars: &chars, at: 0 };
    let (mut tokens, mut issues) = (Vec::new(), Vec::new());
    loop {
        lexer.blank();
        let at = lexer.at;
        match lexer.next() {
            Ok(token) => {
                let end = token == Token::End;
                tokens.push((token, at, lexer.at));
                if end {
                    return (tokens, issues);
                }
            }
            Err(issue) => {
                issues.push(issue);
                lexer.at = lexer.at.max(at + 1);
            }
        }
    }
}

struct Lexer<'a> {
    chars: &'a [char],
    at: usize,
}

// === impl Lexer ===

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn blank(&mut self) {
        loop {
            while self.at < self.chars.len() && self.peek(0).is_whitespace() {
                self.at += 1;
            }
            if self.peek(0) != '/' || self.peek(1) != '/' {
                return;
            }
            while self.at < self.chars.len() && self.peek(0) != '\n' {
                self.at += 1;
            }
        }
    }

    fn next(&mut self) -> Result<Token, Issue> {
        let first = self.peek(0);
        if self.at >= self.chars.len() {
            return Ok(Token::End);
        }
        if first.is_ascii_digit() || first == '.' && self.peek(1).is_ascii_digit() {
            return self.number();
        }
        if first == '`' {
            let start = self.at + 1;
            while self.at + 1 < self.chars.len() && self.peek(1) != '`' {
                self.at += 1;
            }
            let name = self.chars.get(start..=self.at).unwrap_or_default().iter().collect();
            self.at += 2;
            return Ok(Token::Quoted(name));
        }
        let prefix: String = self.chars[self.at..].iter().take(2).take_while(|c| "rRbB".contains(**c)).collect();
        if matches!(self.peek(prefix.len()), '"' | '\'') {
            self.at += prefix.len();
            return self.text(&prefix.to_lowercase());
        }
        if first.is_ascii_alphabetic() || first == '_' {
            let start = self.at;
            while self.peek(0).is_ascii_alphanumeric() || self.peek(0) == '_' {
                self.at += 1;
            }
            return Ok(Token::Name(self.chars[start..self.at].iter().collect()));
        }
        let sign = SIGNS.iter().find(|sign| sign.chars().enumerate().all(|(n, c)| self.peek(n) == c));
        match sign {
            Some(sign) => {
                self.at += sign.len();
                Ok(Token::Sign(sign))
            }
            None => Err(Issue::new(self.at, format!("Syntax error: token recognition error at: '{first}'"))),
        }
    }

    fn number(&mut self) -> Result<Token, Issue> {
        let start = self.at;
        let hex = self.peek(0) == '0' && matches!(self.peek(1), 'x' | 'X');
        if hex {
            self.at += 2;
        }
        while self.peek(0).is_ascii_digit() || hex && self.peek(0).is_ascii_hexdigit() {
            self.at += 1;
        }
        let mut double = false;
        if !hex && self.peek(0) == '.' && self.peek(1).is_ascii_digit() {
            double = true;
            self.at += 1;
            while self.peek(0).is_ascii_digit() {
                self.at += 1;
            }
        }
        let signed = usize::from(matches!(self.peek(1), '+' | '-'));
        if !hex && matches!(self.peek(0), 'e' | 'E') && self.peek(1 + signed).is_ascii_digit() {
            double = true;
            self.at += 1 + signed;
            while self.peek(0).is_ascii_digit() {
                self.at += 1;
            }
        }
        let text: String = self.chars[start..self.at].iter().collect();
        let (digits, radix) = if hex { (&text[2..], 16) } else { (&text[..], 10) };
        let bad = |kind: &str| Issue::new(start, format!("Syntax error: invalid {kind} literal"));
        if double {
            return text.parse().map(Token::Double).map_err(|_| bad("double"));
        }
        if matches!(self.peek(0), 'u' | 'U') {
            self.at += 1;
            return u64::from_str_radix(digits, radix).map(Token::Uint).map_err(|_| bad("uint"));
        }
        // the smallest number is written as the negative of one that is too large
        u64::from_str_radix(digits, radix)
            .ok()
            .filter(|n| *n <= 1 << 63)
            .map(|n| Token::Int(n.cast_signed()))
            .ok_or_else(|| bad("int"))
    }

    fn text(&mut self, prefix: &str) -> Result<Token, Issue> {
        let start = self.at;
        let quote = self.peek(0);
        let triple = self.peek(1) == quote && self.peek(2) == quote;
        let width = if triple { 3 } else { 1 };
        self.at += width;
        let (raw, bytes) = (prefix.contains('r'), prefix.contains('b'));
        let mut out: Vec<u8> = Vec::new();
        loop {
            if self.at >= self.chars.len() || !triple && self.peek(0) == '\n' {
                // an escape at the end goes beyond it
                let rest: String = self.chars[start..].iter().take(self.at - start).collect();
                return Err(Issue::new(start, format!("Syntax error: token recognition error at: '{rest}'")));
            }
            if (0..width).all(|n| self.peek(n) == quote) {
                self.at += width;
                break;
            }
            let c = self.peek(0);
            self.at += 1;
            if c == '\\' && !raw {
                self.escape(bytes, &mut out)?;
            } else {
                out.extend(c.to_string().as_bytes());
            }
        }
        if bytes {
            return Ok(Token::Bytes(out));
        }
        String::from_utf8(out).map(Token::Text).map_err(|_| Issue::new(start, "Syntax error: invalid text"))
    }

    fn escape(&mut self, bytes: bool, out: &mut Vec<u8>) -> Result<(), Issue> {
        let c = self.peek(0);
        self.at += 1;
        let plain = match c {
            'a' => 7,
            'b' => 8,
            'f' => 12,
            'n' => b'\n',
            'r' => b'\r',
            't' => b'\t',
            'v' => 11,
            '\\' | '\'' | '"' | '`' | '?' => c as u8,
            _ => {
                let (radix, width) = match c {
                    'x' | 'X' => (16, 2),
                    'u' => (16, 4),
                    'U' => (16, 8),
                    '0'..='3' => (8, 3),
                    _ => return Err(Issue::new(self.at - 2, format!("Syntax error: unable to unescape: \\{c}"))),
                };
                if radix == 8 {
                    self.at -= 1;
                }
                let digits: String = self.chars.iter().skip(self.at).take(width).collect();
                self.at += width;
                let bad = || Issue::new(self.at, "Syntax error: invalid escape");
                let code = u32::from_str_radix(&digits, radix).map_err(|_| bad())?;
                match u8::try_from(code) {
                    Ok(byte) if bytes && width < 4 => out.push(byte),
                    _ => out.extend(char::from_u32(code).ok_or_else(bad)?.to_string().as_bytes()),
                }
                return Ok(());
            }
        };
        out.push(plain);
        Ok(())
    }
}
