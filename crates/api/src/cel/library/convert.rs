//! From one type to another.

use base64::Engine;

use super::super::eval::RunError;
use super::super::value::Val;
use super::Outcome;
use super::arithmetic::overflow;

pub(super) fn call<'a>(name: &str, with: &[Val<'a>]) -> Option<Outcome<'a>> {
    let [of] = with else { return None };
    Some(match name {
        "dyn" => Ok(of.clone()),
        "type" => Ok(Val::Type(of.kind())),
        "int" => int(of)?,
        "uint" => uint(of)?,
        "double" => double(of)?,
        "string" => match of.printed() {
            Some(text) => Ok(Val::made(text)),
            None if matches!(of, Val::Bytes(_)) => {
                Err(RunError::Other("invalid UTF-8 in bytes, cannot convert to string".into()))
            }
            None => return None,
        },
        "bytes" => match of {
            Val::Text(text) => Ok(Val::Bytes(text.as_bytes().into())),
            Val::Bytes(_) => Ok(of.clone()),
            _ => return None,
        },
        "bool" => match of {
            Val::Bool(_) => Ok(of.clone()),
            Val::Text(text) => match text.as_ref() {
                "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Val::Bool(true)),
                "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Val::Bool(false)),
                _ => Err(RunError::Other(format!("type conversion error from 'string' to 'bool': {text}"))),
            },
            _ => return None,
        },
        "base64.encode" => match of {
            Val::Bytes(bytes) => Ok(Val::made(base64::engine::general_purpose::STANDARD.encode(bytes))),
            _ => return None,
        },
        "base64.decode" => match of {
            Val::Text(text) => decode(text),
            _ => return None,
        },
        _ => return None,
    })
}

fn decode<'a>(text: &str) -> Outcome<'a> {
    let decoded = base64::engine::general_purpose::STANDARD.decode(text.as_bytes());
    decoded.map(|bytes| Val::Bytes(bytes.into())).map_err(|error| RunError::Other(error.to_string()))
}

fn failed<T>(text: &str, to: &str) -> Result<T, RunError> {
    Err(RunError::Other(format!(
        "type conversion error from 'string' to '{to}': strconv.ParseInt: parsing {text:?}: invalid syntax"
    )))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "within the range that was checked")]
fn int<'a>(of: &Val<'a>) -> Option<Outcome<'a>> {
    Some(match of {
        Val::Int(_) => Ok(of.clone()),
        Val::Uint(n) => i64::try_from(*n).map(Val::Int).map_err(|_| overflow()),
        Val::Double(n) if n.abs() < i64::MAX as f64 => Ok(Val::Int(*n as i64)),
        Val::Double(_) => Err(overflow()),
        Val::Text(text) => text.parse().map(Val::Int).or_else(|_| failed(text, "int")),
        Val::Time(time) => Ok(Val::Int(time.as_second())),
        _ => return None,
    })
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the range that was checked")]
fn uint<'a>(of: &Val<'a>) -> Option<Outcome<'a>> {
    Some(match of {
        Val::Uint(_) => Ok(of.clone()),
        Val::Int(n) => u64::try_from(*n).map(Val::Uint).map_err(|_| overflow()),
        Val::Double(n) if (0.0..1.8e19).contains(n) => Ok(Val::Uint(*n as u64)),
        Val::Double(_) => Err(overflow()),
        Val::Text(text) => text.parse().map(Val::Uint).or_else(|_| failed(text, "uint")),
        _ => return None,
    })
}

#[allow(clippy::cast_precision_loss, reason = "what the conversion means")]
fn double<'a>(of: &Val<'a>) -> Option<Outcome<'a>> {
    Some(match of {
        Val::Double(_) => Ok(of.clone()),
        Val::Int(n) => Ok(Val::Double(*n as f64)),
        Val::Uint(n) => Ok(Val::Double(*n as f64)),
        Val::Text(text) => text.parse().map(Val::Double).or_else(|_| failed(text, "double")),
        _ => return None,
    })
}
