//! How many seats a level has: its share of all, and what it lends or borrows
//! (`k8s.io/apiserver/pkg/util/flowcontrol/conc_alloc.go`). Plain functions.

use std::time::Duration;

use nakhoda_api::kinds::flowcontrol::PriorityLevelConfiguration;

use super::queues::Shape;

/// How often idle seats are lent anew.
pub const PERIOD: Duration = Duration::from_secs(10);
/// The widest request takes this part of a level's seats …
const WIDEST: f64 = 0.15;
/// … and never more than so many.
const WIDEST_SEATS: u32 = 10;

/// What an object says of a level, in seats.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Of the object.
    pub name: String,
    /// Of the object.
    pub uid: String,
    /// Nothing bounds it.
    pub exempt: bool,
    /// Its share.
    pub nominal: u32,
    /// What it never lends.
    pub least: u32,
    /// What it has at most, with what it borrows.
    pub most: u32,
    /// How requests wait.
    pub shape: Shape,
    /// What one request takes at most.
    pub widest: u32,
}

/// Between what a level's seats may lie, and where they should.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// At least.
    pub low: f64,
    /// At most.
    pub high: f64,
    /// Rather.
    pub target: f64,
}

/// The levels' settings, dividing `total` seats by their shares.
#[must_use]
pub fn settings(levels: &[PriorityLevelConfiguration], total: u32) -> Vec<Settings> {
    let sum: f64 = levels.iter().map(|level| f64::from(numbers(level).0)).sum();
    levels.iter().map(|level| one(level, total, sum)).collect()
}

fn one(level: &PriorityLevelConfiguration, total: u32, sum: f64) -> Settings {
    let (shares, lendable, borrowing) = numbers(level);
    let part = if sum > 0.0 { f64::from(total) * f64::from(shares) / sum } else { 0.0 };
    let nominal = seats(part.ceil());
    let percent = |percent: i32| seats((f64::from(nominal) * f64::from(percent) / 100.0).round());
    let queuing = level.spec.limited.as_ref().and_then(|limited| limited.limit_response.queuing.as_ref());
    let size = |number: Option<i32>| usize::try_from(number.unwrap_or(0)).unwrap_or(0);
    let shape =
        queuing.map(|q| Shape { deck: size(q.queues), hand: size(q.hand_size), length: size(q.queue_length_limit) });
    let hand = shape.map_or(1, |shape| shape.hand.max(1));
    let widest = (f64::from(nominal) * WIDEST).ceil().min((f64::from(nominal) / hand as f64).floor());
    Settings {
        name: level.metadata.name.clone().unwrap_or_default(),
        uid: level.metadata.uid.clone().unwrap_or_default(),
        exempt: level.spec.type_ == "Exempt",
        nominal,
        least: nominal - percent(lendable).min(nominal),
        most: nominal + borrowing.map_or(total, percent),
        shape: shape.unwrap_or_default(),
        widest: seats(widest).clamp(1, WIDEST_SEATS),
    }
}

/// Shares, percent that may be lent, percent that may be borrowed.
fn numbers(level: &PriorityLevelConfiguration) -> (i32, i32, Option<i32>) {
    match (&level.spec.limited, &level.spec.exempt) {
        (Some(limited), _) => (
            limited.nominal_concurrency_shares.unwrap_or(0),
            limited.lendable_percent.unwrap_or(0),
            limited.borrowing_limit_percent,
        ),
        (None, Some(exempt)) => {
            (exempt.nominal_concurrency_shares.unwrap_or(0), exempt.lendable_percent.unwrap_or(0), None)
        }
        (None, None) => (0, 0, None),
    }
}

/// Divides `total` so that every level gets the same proportion of its target, as far as its bounds let it.
#[must_use]
pub fn allocate(total: u32, levels: &[Bounds]) -> Vec<u32> {
    let given =
        |level: &Bounds, part: f64| (level.target.max(0.001) * part).clamp(level.low, level.high.max(level.low));
    let sum = |part: f64| levels.iter().map(|level| given(level, part)).sum::<f64>();
    let (mut low, mut high) = (0.0, 1.0);
    while sum(high) < f64::from(total) && high < 1e9 {
        high *= 2.0;
    }
    for _ in 0..64 {
        let middle = f64::midpoint(low, high);
        if sum(middle) < f64::from(total) { low = middle } else { high = middle }
    }
    levels.iter().map(|level| seats(given(level, high).round())).collect()
}

/// A number of seats: neither negative nor broken.
fn seats(number: f64) -> u32 {
    number as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bootstrap::flow;

    #[test]
    fn the_seeds_divide_six_hundred_seats_as_upstream_does() {
        let all = settings(flow::levels(), 600);
        let of = |name: &str| all.iter().find(|s| s.name == name).expect("a level");
        let system = of("system");
        assert_eq!((system.nominal, system.least, system.widest), (74, 50, 10));
        assert_eq!((of("workload-low").nominal, of("workload-low").least), (245, 24));
        assert_eq!((of("catch-all").nominal, of("catch-all").shape), (13, Shape::default()));
        assert!(of("exempt").exempt && of("exempt").nominal == 0);
    }

    #[test]
    fn idle_seats_go_to_who_wants_them_and_come_back() {
        let level = |low: f64, target: f64| Bounds { low, high: 700.0, target };
        assert_eq!(allocate(100, &[level(10.0, 10.0), level(20.0, 160.0)]), [10, 90]);
        assert_eq!(allocate(100, &[level(50.0, 80.0), level(20.0, 160.0)]), [50, 50]);
        assert_eq!(allocate(100, &[level(0.0, 0.0), level(0.0, 0.0)]), [50, 50]);
    }
}
