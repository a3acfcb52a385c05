//! Tokens in a file (`--token-auth-file`): lines of token, user name, uid and, in quotes, the groups. They hold for
//! as long as the process runs, and whoever reads the file has them all: for trying things out only.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use futures::future::{BoxFuture, FutureExt, ready};
use nakhoda_daemon::file::{self, Unreadable};
use sha2::{Digest, Sha256};

use super::bearer::{Recognised, Refusal, TokenAuthenticator, agnostic};
use crate::user::User;

/// The tokens of a file, as digests.
pub struct TokenFile {
    users: HashMap<[u8; 32], User>,
    audiences: Vec<String>,
}

/// Why a file of tokens cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] Unreadable),
    /// A line says too little.
    #[error("token file '{path}' must have at least 3 columns (token, user name, user uid), found {found}")]
    Columns {
        /// Which file.
        path: PathBuf,
        /// How many there are.
        found: usize,
    },
    /// A line has a quote that does not end.
    #[error("token file '{path}': line {line} has an open quote")]
    Quote {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1 on.
        line: usize,
    },
}

// === impl TokenFile ===

impl TokenFile {
    /// Reads a file; `audiences` are the API server's own.
    pub fn open(path: &Path, audiences: Vec<String>) -> Result<Self, TokenFileError> {
        let text = file::text(path)?;
        Self::parse(&text, path, audiences)
    }

    fn parse(text: &str, path: &Path, audiences: Vec<String>) -> Result<Self, TokenFileError> {
        let mut users = HashMap::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let columns = columns(line).ok_or_else(|| TokenFileError::Quote { path: path.into(), line: index + 1 })?;
            let [token, name, uid, rest @ ..] = columns.as_slice() else {
                return Err(TokenFileError::Columns { path: path.into(), found: columns.len() });
            };
            if token.is_empty() {
                tracing::warn!(file = %path.display(), line = index + 1, "empty token has been found in token file");
                continue;
            }
            let groups = rest.first().map_or("", String::as_str).split(',').map(str::trim);
            let groups = groups.filter(|group| !group.is_empty()).map(Into::into).collect();
            let user = User { name: name.clone(), uid: uid.clone(), groups, ..User::default() };
            if users.insert(digest(token), user).is_some() {
                tracing::warn!(file = %path.display(), line = index + 1, "duplicate token has been found in token file");
            }
        }
        Ok(Self { users, audiences })
    }
}

impl TokenAuthenticator for TokenFile {
    fn recognise<'a>(
        &'a self,
        token: &'a str,
        audiences: &'a [String],
    ) -> BoxFuture<'a, Result<Option<Recognised>, Refusal>> {
        let audiences = agnostic(&self.audiences, audiences);
        let user = self.users.get(&digest(token)).cloned();
        ready(Ok(user.zip(audiences).map(|(user, audiences)| Recognised::of(user, audiences)))).boxed()
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// The columns of a line; quotes hold commas, two of them are one. None if a quote does not end.
fn columns(line: &str) -> Option<Vec<String>> {
    let (mut columns, mut quoted) = (vec![String::new()], false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let column = columns.last_mut().expect("there is always a last column");
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                column.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => columns.push(String::new()),
            // space before a column counts for nothing
            ' ' if !quoted && column.is_empty() => {}
            other => column.push(other),
        }
    }
    (!quoted).then_some(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Result<TokenFile, TokenFileError> {
        TokenFile::parse(text, Path::new("tokens.csv"), vec!["api".into()])
    }

    #[test]
    fn a_line_is_a_user() {
        let file = file("t1,jane,7\n\nt2, bob,8,\"a, b\"\n,nobody,9\n").expect("read");
        let of = |token: &str| file.recognise(token, &[]).now_or_never().expect("ready").expect("no refusal");
        let bob = of("t2").expect("known");
        assert_eq!((bob.user.name.as_str(), bob.user.uid.as_str()), ("bob", "8"));
        assert_eq!(
            (bob.user.groups.as_slice(), bob.audiences.as_slice()),
            (&["a".into(), "b".into()][..], &["api".into()][..])
        );
        assert!(of("t1").is_some() && of("t3").is_none() && of("").is_none());
    }

    #[test]
    fn a_line_that_says_too_little_is_refused() {
        let refused = file("t1,jane").err().expect("refused").to_string();
        assert!(refused.ends_with("must have at least 3 columns (token, user name, user uid), found 2"), "{refused}");
        assert!(matches!(file("t1,jane,7,\"a"), Err(TokenFileError::Quote { line: 1, .. })));
    }
}
