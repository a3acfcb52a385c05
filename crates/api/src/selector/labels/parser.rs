//! Reads the text of a label selector.

use std::collections::BTreeSet;

use super::{Operator, Requirement, check_key};
use crate::field::{Errors, Path};
use crate::selector::SelectorError;
use crate::selector::lexer::{Token, tokens};

type Result<T> = std::result::Result<T, SelectorError>;

struct Parser {
    tokens: Vec<Token>,
    position: usize,
}

pub(super) fn parse(text: &str) -> Result<Vec<Requirement>> {
    let mut parser = Parser { tokens: tokens(text), position: 0 };
    let mut requirements = Vec::new();
    loop {
        let token = parser.peek();
        if *token == Token::End {
            return Ok(requirements);
        }
        if !starts_requirement(token) {
            return unexpected(token, ", expected: !, identifier, or 'end of string'");
        }
        requirements.push(parser.requirement().map_err(|e| SelectorError::Requirement(Box::new(e)))?);
        let token = parser.take();
        if token == Token::End {
            return Ok(requirements);
        }
        if !token.is(",") {
            return unexpected(&token, ", expected: ',' or 'end of string'");
        }
        if !starts_requirement(parser.peek()) {
            return unexpected(parser.peek(), ", expected: identifier after ','");
        }
    }
}

fn starts_requirement(token: &Token) -> bool {
    token.identifier().is_some() || token.is("!")
}

fn unexpected<T>(found: &Token, expected: &str) -> Result<T> {
    Err(SelectorError::Unexpected(format!("found '{}'{expected}", found.literal())))
}

// === impl Parser ===

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.position).unwrap_or(&Token::End)
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.position += 1;
        token
    }

    fn requirement(&mut self) -> Result<Requirement> {
        let (key, operator) = self.key()?;
        if let Some(operator) = operator {
            return Requirement::new(&key, operator, Vec::new());
        }
        let operator = self.operator()?;
        let values = match operator {
            Operator::In | Operator::NotIn => self.values()?,
            _ => BTreeSet::from([self.exact_value()?]),
        };
        Requirement::new(&key, operator, values.into_iter().collect())
    }

    /// The key, and the operator if none follows it.
    fn key(&mut self) -> Result<(String, Option<Operator>)> {
        let mut token = self.take();
        let absent = token.is("!");
        if absent {
            token = self.take();
        }
        let Some(key) = token.identifier() else { return unexpected(&token, ", expected: identifier") };
        let mut errors = Errors::default();
        check_key(key, &Path::default(), &mut errors);
        if !errors.is_empty() {
            return Err(SelectorError::Fields(errors));
        }
        let alone = *self.peek() == Token::End || self.peek().is(",");
        let operator = if absent { Some(Operator::DoesNotExist) } else { alone.then_some(Operator::Exists) };
        Ok((key.to_owned(), operator))
    }

    fn operator(&mut self) -> Result<Operator> {
        let token = self.take();
        Ok(match &token {
            Token::Keyword("in") => Operator::In,
            Token::Keyword("notin") => Operator::NotIn,
            Token::Symbol("=") => Operator::Equals,
            Token::Symbol("==") => Operator::DoubleEquals,
            Token::Symbol("!=") => Operator::NotEquals,
            Token::Symbol(">") => Operator::GreaterThan,
            Token::Symbol("<") => Operator::LessThan,
            _ => return unexpected(&token, ", expected: in, notin, =, ==, !=, gt, lt"),
        })
    }

    fn exact_value(&mut self) -> Result<String> {
        if *self.peek() == Token::End || self.peek().is(",") {
            return Ok(String::new());
        }
        let token = self.take();
        match token.identifier() {
            Some(value) => Ok(value.to_owned()),
            None => unexpected(&token, ", expected: identifier"),
        }
    }

    fn values(&mut self) -> Result<BTreeSet<String>> {
        let token = self.take();
        if !token.is("(") {
            return unexpected(&token, " expected: '('");
        }
        let first = self.peek().clone();
        if first.is(")") {
            self.take();
            return Ok(BTreeSet::from([String::new()]));
        }
        if first.identifier().is_none() && !first.is(",") {
            return unexpected(&first, ", expected: ',', ')' or identifier");
        }
        let values = self.value_list()?;
        if !self.take().is(")") {
            return unexpected(&first, ", expected: ')'");
        }
        Ok(values)
    }

    /// Up to the closing parenthesis; `(,` and `,)` and `,,` stand for an empty value.
    fn value_list(&mut self) -> Result<BTreeSet<String>> {
        let mut values = BTreeSet::new();
        loop {
            let token = self.take();
            if let Some(value) = token.identifier() {
                values.insert(value.to_owned());
                match self.peek() {
                    next if next.is(",") => {}
                    next if next.is(")") => return Ok(values),
                    next => return unexpected(next, ", expected: ',' or ')'"),
                }
            } else if token.is(",") {
                if values.is_empty() || self.peek().is(",") || self.peek().is(")") {
                    values.insert(String::new());
                }
                if self.peek().is(")") {
                    return Ok(values);
                }
            } else {
                return unexpected(&token, ", expected: ',', or identifier");
            }
        }
    }
}
