//! Numbers: those that may be written as a share of others, and those that are left out if they are 0.

use nakhoda_api::kinds::IntOrString;

/// A number or a percentage of `total`, rounded up or down; 0 if it cannot be read.
#[must_use]
pub fn scaled(value: Option<&IntOrString>, total: i32, up: bool) -> i32 {
    match value {
        None => 0,
        Some(IntOrString::Int(number)) => *number,
        Some(IntOrString::String(text)) => {
            let percent: i64 = text.strip_suffix('%').and_then(|p| p.parse().ok()).unwrap_or_default();
            let share = percent * i64::from(total);
            i32::try_from(if up { (share + 99) / 100 } else { share / 100 }).unwrap_or(i32::MAX)
        }
    }
}

/// A count as statuses tell it: none of something is not mentioned.
#[must_use]
pub fn nonzero(count: i32) -> Option<i32> {
    (count != 0).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_rounded_the_way_that_is_asked_for() {
        let quarter = IntOrString::String("25%".into());
        assert_eq!((scaled(Some(&quarter), 10, true), scaled(Some(&quarter), 10, false)), (3, 2));
        assert_eq!(scaled(Some(&IntOrString::Int(7)), 10, true), 7);
        assert_eq!(scaled(Some(&IntOrString::String("x".into())), 10, true), 0);
    }
}
