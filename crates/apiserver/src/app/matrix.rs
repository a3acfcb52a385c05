//! The authorization matrix: every kind of caller × verb × resource × subresource × namespace, asked of the whole
//! server by REST and by gRPC, with the credentials that such a caller shows, and compared with an oracle that reads
//! the stored objects and shares no code with the authorizers.
//!
//! All requests are dry runs; afterwards nothing has changed. Each caller asks a seventh of all questions, every one
//! beginning with another, so that each question is asked by some; `MATRIX=whole` lets everyone ask everything.

mod callers;
mod cells;
mod fronts;
mod house;
mod oracle;

use callers::{Caller, Rights};
use cells::Cell;
use fronts::{Doors, Heard};
use house::House;
use oracle::World;

/// What must be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// 401: nobody knows who it is.
    Unknown,
    /// 403 in the authorizer's words.
    Refused,
    /// Anything else: what became of it is for other tests.
    LetIn,
}

fn wanted(world: &World, caller: &Caller, question: impl Fn(&callers::Who) -> bool) -> Verdict {
    match &caller.rights {
        Rights::Nobody => Verdict::Unknown,
        Rights::None => Verdict::Refused,
        Rights::Of(who) if question(who) => {
            debug_assert!(!world.is_empty());
            Verdict::LetIn
        }
        Rights::Of(_) => Verdict::Refused,
    }
}

/// How many questions were asked, and what differs, in words.
async fn resources(house: &House, doors: &Doors, callers: &[Caller], world: &World) -> (usize, Vec<String>) {
    let cells = cells::all(&house.core.pipeline);
    let step = if std::env::var("MATRIX").is_ok_and(|asked| asked == "whole") { 1 } else { 7 };
    let (mut asked, mut faults) = (0, Vec::new());
    for (number, caller) in callers.iter().enumerate() {
        for cell in cells.iter().skip(number % step).step_by(step) {
            asked += 1;
            let right = wanted(world, caller, |who| world.allows(who, cell));
            let (rest, grpc) = (doors.rest(caller, cell).await, doors.grpc(caller, cell).await);
            if rest.verdict != right || grpc.verdict != right {
                faults.push(format!("{}: {cell}: wanted {right:?}, REST {rest}, gRPC {grpc}", caller.name));
            } else if !alike(&rest, &grpc, cell) {
                faults.push(format!("{}: {cell}: REST {rest} but gRPC {grpc}", caller.name));
            }
        }
    }
    (asked, faults)
}

/// Refusals are the same to the word; of what was let in the code is, but for streams, which only REST upgrades.
fn alike(rest: &Heard, grpc: &Heard, cell: &Cell) -> bool {
    match rest.verdict {
        Verdict::LetIn => cell.stream || rest.code == grpc.code,
        Verdict::Refused | Verdict::Unknown => (rest.code, &rest.message) == (grpc.code, &grpc.message),
    }
}

async fn paths(doors: &Doors, callers: &[Caller], world: &World) -> (usize, Vec<String>) {
    let mut faults = Vec::new();
    for caller in callers {
        for (method, path) in cells::paths() {
            let right = wanted(world, caller, |who| world.allows_path(who, &method.to_lowercase(), path));
            let heard = doors.path(caller, method, path).await;
            if heard.verdict != right {
                faults.push(format!("{} {method} {path}: wanted {right:?}, heard {heard}", caller.name));
            }
        }
    }
    (callers.len() * cells::paths().count(), faults)
}

#[tokio::test]
async fn whoever_asks_whatever_by_either_front_hears_what_the_rules_say() {
    let house = House::build().await;
    let (doors, callers, world) = (Doors::of(&house), callers::all(&house).await, house.world().await);
    let (asked, mut faults) = resources(&house, &doors, &callers, &world).await;
    let (visited, wrong) = paths(&doors, &callers, &world).await;
    faults.extend(wrong);
    let told = faults.join("\n");
    assert!(faults.is_empty(), "{} of {} cells differ:\n{told}", faults.len(), asked + visited);
    assert!(asked + visited >= 5_000, "only {asked} cells and {visited} paths");
    assert_eq!(house.world().await, world, "a dry run changed something");
}
