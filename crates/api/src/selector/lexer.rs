//! Words of a label selector's text.

/// One word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Identifier(String),
    /// `in` or `notin`; an identifier where a key or a value stands.
    Keyword(&'static str),
    /// `=`, `==`, `!=`, `!`, `>`, `<`, `(`, `)`, `,`.
    Symbol(&'static str),
    /// A run of symbols that is none.
    Bad(String),
    End,
}

const SYMBOLS: &[&str] = &["==", "!=", "=", "!", ">", "<", "(", ")", ","];

impl Token {
    /// As upstream's error texts show it.
    pub(super) fn literal(&self) -> String {
        match self {
            Self::Identifier(text) => text.clone(),
            Self::Keyword(text) | Self::Symbol(text) => (*text).into(),
            Self::Bad(text) => format!("error expected: keyword found '{text}'"),
            Self::End => String::new(),
        }
    }

    /// The text, if this can be a key or a value.
    pub(super) fn identifier(&self) -> Option<&str> {
        match self {
            Self::Identifier(text) => Some(text),
            Self::Keyword(text) => Some(text),
            Self::Symbol(_) | Self::Bad(_) | Self::End => None,
        }
    }

    pub(super) fn is(&self, symbol: &str) -> bool {
        matches!(self, Self::Symbol(s) if *s == symbol)
    }
}

/// All words; the last one is [`Token::End`].
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut rest = text;
    let mut tokens = Vec::new();
    loop {
        rest = rest.trim_start_matches(is_space);
        let (token, left) = next(rest);
        let end = token == Token::End;
        tokens.push(token);
        if end {
            return tokens;
        }
        rest = left;
    }
}

fn next(text: &str) -> (Token, &str) {
    if text.is_empty() {
        return (Token::End, text);
    }
    if let Some(symbol) = SYMBOLS.iter().find(|s| text.starts_with(**s)) {
        return (Token::Symbol(symbol), &text[symbol.len()..]);
    }
    let end = text.find(|c| is_space(c) || is_special(c)).unwrap_or(text.len());
    let (word, left) = text.split_at(end);
    let token = match word {
        "in" => Token::Keyword("in"),
        "notin" => Token::Keyword("notin"),
        "" => Token::Bad(text.into()),
        _ => Token::Identifier(word.into()),
    };
    (token, left)
}

const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

const fn is_special(c: char) -> bool {
    matches!(c, '=' | '!' | '(' | ')' | ',' | '>' | '<')
}
