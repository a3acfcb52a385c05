//! [`Media`]: the media types in which objects travel.

/// How an object is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Media {
    /// `application/json`.
    #[default]
    Json,
    /// `application/yaml`.
    Yaml,
    /// `application/vnd.kubernetes.protobuf`.
    Protobuf,
}

// === impl Media ===

impl Media {
    /// The media type that a `Content-Type` names; parameters are ignored. `None` is answered with 415.
    #[must_use]
    pub fn parse(content_type: &str) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        [Self::Json, Self::Yaml, Self::Protobuf].into_iter().find(|media| media.mime().eq_ignore_ascii_case(essence))
    }

    /// The media type's name.
    #[must_use]
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Yaml => "application/yaml",
            Self::Protobuf => "application/vnd.kubernetes.protobuf",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_a_content_type_do_not_matter() {
        assert_eq!(Media::parse("application/json; charset=utf-8"), Some(Media::Json));
        assert_eq!(Media::parse("application/vnd.kubernetes.protobuf"), Some(Media::Protobuf));
        assert_eq!(Media::parse("text/html"), None);
    }
}
