//! Names and values as a query carries them, and how upstream reads flags and numbers out of them
//! (`k8s.io/apimachinery/pkg/conversion/queryparams`).

use nakhoda_api::Status;

use crate::request::Connect;

/// Names and values in order, with repeats.
pub trait Parameters {
    /// The first value of a name, empty if there is none.
    fn value(&self, name: &str) -> &str;
    /// Every value of a name.
    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str>;
    /// Whether a name occurs.
    fn has(&self, name: &str) -> bool;
    /// Anything but `false`, `0` and absence is true.
    fn flag(&self, name: &str) -> bool;
    /// A whole number, 400 if it is none.
    fn number(&self, name: &str) -> Result<Option<i64>, Status>;
}

impl Parameters for [(String, String)] {
    fn value(&self, name: &str) -> &str {
        self.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }

    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    fn has(&self, name: &str) -> bool {
        self.iter().any(|(n, _)| n == name)
    }

    fn flag(&self, name: &str) -> bool {
        self.has(name) && !matches!(self.value(name).to_ascii_lowercase().as_str(), "false" | "0")
    }

    fn number(&self, name: &str) -> Result<Option<i64>, Status> {
        match self.value(name) {
            "" => Ok(None),
            text => text
                .parse()
                .map(Some)
                .map_err(|_| Status::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"))),
        }
    }
}

// === impl Connect ===

impl Connect {
    /// See [`Parameters::value`].
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.parameters.value(name)
    }

    /// See [`Parameters::values`].
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.parameters.values(name)
    }

    /// See [`Parameters::flag`].
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.parameters.flag(name)
    }

    /// See [`Parameters::number`].
    pub fn number(&self, name: &str) -> Result<Option<i64>, Status> {
        self.parameters.number(name)
    }
}
