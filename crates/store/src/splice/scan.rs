//! Finds the members of a JSON object without decoding any.

/// The members of one JSON object, by position.
pub(crate) struct Members<'a> {
    json: &'a [u8],
    at: usize,
}

/// A name, without its quotes, and where its value lies.
pub(crate) struct Member<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) value: std::ops::Range<usize>,
}

// === impl Members ===

impl<'a> Members<'a> {
    pub(crate) fn of(json: &'a [u8], at: usize) -> Option<Self> {
        let at = blank(json, at);
        (*json.get(at)? == b'{').then_some(Self { json, at: at + 1 })
    }

    /// The next member; none at the end, or where the JSON is broken.
    pub(crate) fn next(&mut self) -> Option<Member<'a>> {
        let mut at = blank(self.json, self.at);
        if *self.json.get(at)? == b',' {
            at = blank(self.json, at + 1);
        }
        let name_end = string_end(self.json, at)?;
        let name = self.json.get(at + 1..name_end - 1)?;
        let colon = blank(self.json, name_end);
        let start = blank(self.json, colon + 1);
        let end = value_end(self.json, start)?;
        self.at = end;
        Some(Member { name, value: start..end })
    }
}

fn blank(json: &[u8], mut at: usize) -> usize {
    while json.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

fn string_end(json: &[u8], at: usize) -> Option<usize> {
    if *json.get(at)? != b'"' {
        return None;
    }
    let mut at = at + 1;
    loop {
        match *json.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn value_end(json: &[u8], at: usize) -> Option<usize> {
    match *json.get(at)? {
        b'"' => string_end(json, at),
        b'{' | b'[' => nested_end(json, at),
        _ => {
            let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
            Some(json[at..].iter().position(ends).map_or(json.len(), |n| at + n))
        }
    }
}

fn nested_end(json: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match *json.get(at)? {
            b'"' => {
                at = string_end(json, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}
