//! How many endpoints a zone should get: numbers only.

use std::collections::BTreeMap;

use super::{Counts, Refusal};

/// How much more than its share an endpoint may have to bear.
const OVERLOAD: f64 = 0.2;

/// The part of each zone; together they are one.
pub type Shares = BTreeMap<String, f64>;

/// What a zone may get.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allocation {
    /// With fewer its endpoints would be overloaded.
    pub minimum: usize,
    /// With more another zone's would be.
    pub maximum: usize,
    /// Its share.
    pub desired: f64,
}

/// Shares endpoints out.
pub fn allocate(shares: &Shares, endpoints: usize) -> Result<BTreeMap<String, Allocation>, Refusal> {
    if shares.len() > endpoints {
        return Err(Refusal::TooFew(endpoints, shares.len()));
    }
    let minima: Vec<usize> = shares.values().map(|share| least(share * real(endpoints))).collect();
    let spare = endpoints.checked_sub(minima.iter().sum()).ok_or(Refusal::Overload(endpoints, shares.len()))?;
    let allocation = |(share, minimum): (&f64, usize)| Allocation {
        minimum,
        maximum: minimum + spare,
        desired: (share * real(endpoints)).max(real(minimum)),
    };
    Ok(shares.keys().cloned().zip(shares.values().zip(minima).map(allocation)).collect())
}

/// How many endpoints each zone gives away and gets, so that all come near their share.
#[must_use]
pub fn exchange(allocations: &BTreeMap<String, Allocation>, given: &Counts) -> (Counts, Counts) {
    let surplus = |(zone, allocation): (&String, &Allocation)| {
        (zone.clone(), real(given.get(zone).copied().unwrap_or_default()) - allocation.desired)
    };
    let mut giving: Vec<(String, f64)> = allocations.iter().map(surplus).collect();
    let mut receiving: Vec<(String, f64)> = giving.iter().map(|(zone, surplus)| (zone.clone(), -surplus)).collect();
    let (mut gives, mut gets) = (Counts::new(), Counts::new());
    while let (Some((from, most)), Some((to, least))) = (greatest(&mut giving), greatest(&mut receiving)) {
        if (*most < 1.0 && *least < 1.0) || *most < 0.5 || *least < 0.5 {
            break;
        }
        (*most, *least) = (*most - 1.0, *least - 1.0);
        *gives.entry(from.clone()).or_default() += 1;
        *gets.entry(to.clone()).or_default() += 1;
    }
    (gives, gets)
}

/// Whether a zone has too few endpoints, now that shares are these.
#[must_use]
pub fn is_overloaded(hinted: &Counts, shares: Option<&Shares>) -> bool {
    let Some(shares) = shares else { return !hinted.is_empty() };
    let total = real(hinted.values().sum());
    shares.iter().any(|(zone, share)| hinted.get(zone).is_none_or(|count| *count < least(total * share)))
}

/// The least number whose overload is bearable.
fn least(desired: f64) -> usize {
    (desired * (1.0 / (1.0 + OVERLOAD))).ceil() as usize
}

const fn real(count: usize) -> f64 {
    count as f64
}

fn greatest(zones: &mut [(String, f64)]) -> Option<(&String, &mut f64)> {
    let at = zones.iter().enumerate().rev().max_by(|(_, a), (_, b)| a.1.total_cmp(&b.1)).map(|(at, _)| at)?;
    let (zone, number) = &mut zones[at];
    Some((&*zone, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(parts: &[f64]) -> Shares {
        parts.iter().enumerate().map(|(zone, part)| (format!("z{zone}"), *part)).collect()
    }

    fn counts(counts: &[usize]) -> Counts {
        counts.iter().enumerate().map(|(zone, count)| (format!("z{zone}"), *count)).collect()
    }

    #[test]
    fn each_zone_gets_its_share_and_none_is_overloaded_by_a_fifth() {
        let all = allocate(&shares(&[0.5, 0.5]), 4).expect("they do");
        assert_eq!(all["z0"], Allocation { minimum: 2, maximum: 2, desired: 2.0 });
        let all = allocate(&shares(&[0.75, 0.25]), 10).expect("they do");
        assert_eq!((all["z0"].minimum, all["z0"].maximum), (7, 7));
        assert_eq!((all["z1"].minimum, all["z1"].maximum), (3, 3));
        assert_eq!(allocate(&shares(&[0.5, 0.5]), 1), Err(Refusal::TooFew(1, 2)));
        assert_eq!(allocate(&shares(&[0.34, 0.33, 0.33]), 4), Err(Refusal::Overload(4, 3)));
    }

    #[test]
    fn who_has_most_above_gives_to_who_has_most_below() {
        let all = allocate(&shares(&[0.5, 0.5]), 6).expect("they do");
        assert_eq!(exchange(&all, &counts(&[5, 1])), ([("z0".into(), 2)].into(), [("z1".into(), 2)].into()));
        assert_eq!(exchange(&all, &counts(&[3, 3])), (Counts::new(), Counts::new()));
        let all = allocate(&shares(&[0.4, 0.3, 0.3]), 9).expect("they do");
        assert_eq!(exchange(&all, &counts(&[9])), ([("z0".into(), 5)].into(), [("z1".into(), 3), ("z2".into(), 2)].into()));
    }

    #[test]
    fn a_zone_with_too_few_or_none_is_overloaded() {
        let even = shares(&[0.5, 0.5]);
        assert!(!is_overloaded(&counts(&[3, 3]), Some(&even)));
        assert!(is_overloaded(&counts(&[5, 1]), Some(&even)) && is_overloaded(&counts(&[6]), Some(&even)));
        assert!(is_overloaded(&counts(&[1]), None) && !is_overloaded(&Counts::new(), None));
    }
}
