//! Lists and sets.

use super::super::eval::{Budget, RunError};
use super::super::value::Val;
use super::Outcome;
use super::arithmetic::{self, pick};

pub(super) fn call<'a>(name: &str, with: &[Val<'a>], budget: &mut Budget) -> Option<Outcome<'a>> {
    let (of, rest) = with.split_first()?;
    let items = of.items()?;
    if let ("sets.contains" | "sets.equivalent" | "sets.intersects" | "distinct", other) = (name, rest.first()) {
        let cost = items.len() * other.and_then(Val::size).unwrap_or(items.len());
        if let Err(error) = budget.spend(cost as u64) {
            return Some(Err(error));
        }
    }
    let has = |items: &[Val<'a>], one: &Val<'a>| items.iter().any(|item| item.same(one));
    let place = |at: Option<usize>| Val::Int(at.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1));
    Some(Ok(match (name, rest) {
        ("isSorted", []) => Val::Bool(items.windows(2).all(|pair| pair[0].order(&pair[1]).is_some_and(|o| o.is_le()))),
        ("sum", []) => return Some(sum(&items)),
        ("min" | "max", []) => {
            let empty = || RunError::Other(format!("{name} called on empty list"));
            return Some(pick(&items, name == "max").ok_or_else(empty));
        }
        ("indexOf", [one]) => place(items.iter().position(|item| item.same(one))),
        ("lastIndexOf", [one]) => place(items.iter().rposition(|item| item.same(one))),
        ("slice", [Val::Int(from), Val::Int(to)]) => {
            let bounds = usize::try_from(*from).ok().zip(usize::try_from(*to).ok());
            match bounds.and_then(|(from, to)| items.get(from..to)) {
                Some(slice) => Val::list(slice.to_vec()),
                None => {
                    return Some(Err(RunError::Other(format!(
                        "cannot slice({from}, {to}), list is length {}",
                        items.len()
                    ))));
                }
            }
        }
        ("flatten", []) => {
            Val::list(items.iter().flat_map(|item| item.items().unwrap_or_else(|| vec![item.clone()])).collect())
        }
        ("reverse", []) => Val::list(items.into_iter().rev().collect()),
        ("distinct", []) => {
            let mut kept: Vec<Val<'a>> = Vec::new();
            items.into_iter().for_each(|item| {
                if !has(&kept, &item) {
                    kept.push(item);
                }
            });
            Val::list(kept)
        }
        ("sort", []) => {
            let mut items = items;
            items.sort_by(|a, b| a.order(b).unwrap_or(std::cmp::Ordering::Equal));
            Val::list(items)
        }
        ("first", []) => items.first().map_or(Val::Optional(None), |item| item.clone().some()),
        ("last", []) => items.last().map_or(Val::Optional(None), |item| item.clone().some()),
        ("join", rest) => {
            let by = match rest {
                [Val::Text(by)] => by.to_string(),
                _ => String::new(),
            };
            let texts: Option<Vec<String>> = items.iter().map(Val::printed).collect();
            Val::made(texts?.join(&by))
        }
        ("sets.contains", [other]) => Val::Bool(other.items()?.iter().all(|one| has(&items, one))),
        ("sets.intersects", [other]) => Val::Bool(other.items()?.iter().any(|one| has(&items, one))),
        ("sets.equivalent", [other]) => {
            let other = other.items()?;
            Val::Bool(other.iter().all(|one| has(&items, one)) && items.iter().all(|one| has(&other, one)))
        }
        _ => return None,
    }))
}

fn sum<'a>(items: &[Val<'a>]) -> Outcome<'a> {
    let mut items = items.iter();
    let Some(first) = items.next() else { return Ok(Val::Int(0)) };
    let mut budget = Budget::new(0);
    items.try_fold(first.clone(), |sum, item| {
        super::time::call("_+_", &[sum.clone(), item.clone()], &mut budget)
            .or_else(|| arithmetic::call("_+_", &[sum, item.clone()], &mut budget))
            .unwrap_or(Err(RunError::Overload))
    })
}
