//! The queues of one level: fair among the queues by the seats and the time that each has had. Plain values: time is a
//! number of seconds that the caller passes in, and what wakes a waiter is the caller's.
//!
//! Fairness is that of a bit-by-bit round robin in virtual time: virtual time passes as fast as each active queue would be
//! served alone, a queue's next request starts virtually when the one before is done, and the one that would finish first is next.

use std::collections::VecDeque;

use super::hand;

/// What a request is taken to last until it is known.
const GUESS: f64 = 0.003;

/// How many queues, how many of them a flow has, and how many wait in one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Queues; none: nobody waits.
    pub deck: usize,
    /// Of a flow.
    pub hand: usize,
    /// In one queue.
    pub length: usize,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    queue: usize,
    id: u64,
    seats: u32,
}

/// What becomes of a new request.
#[derive(Debug, PartialEq, Eq)]
pub enum Arrival<T> {
    /// It runs.
    Run(Ticket),
    /// It waits; those that run now, perhaps itself, are to be woken.
    Wait(Ticket, Vec<T>),
    /// There is no room.
    Refused(Reason),
}

/// Why a request does not run, in upstream's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its queue is full.
    QueueFull,
    /// There are no queues, and no seat.
    ConcurrencyLimit,
    /// It has waited too long.
    TimeOut,
}

/// The seats of a level, and who waits for them.
#[derive(Debug)]
pub struct Queues<T> {
    shape: Shape,
    seats: u32,
    queues: Vec<Queue<T>>,
    used: u32,
    wanted: u32,
    waiting: usize,
    active: u32,
    virtual_time: f64,
    last: f64,
    next: u64,
    after: usize,
    demand: Demand,
}

#[derive(Debug)]
struct Queue<T> {
    waiting: VecDeque<Waiter<T>>,
    running: u32,
    start: f64,
}

#[derive(Debug)]
struct Waiter<T> {
    id: u64,
    seats: u32,
    token: T,
}

/// How many seats were wanted since it was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Demand {
    /// At most.
    pub most: u32,
    since: f64,
    sum: f64,
    squares: f64,
}

// === impl Demand ===

impl Demand {
    /// The average and the deviation from it.
    #[must_use]
    pub fn usual(&self, now: f64) -> (f64, f64) {
        let time = (now - self.since).max(f64::EPSILON);
        let average = self.sum / time;
        (average, (self.squares / time - average * average).max(0.0).sqrt())
    }
}

impl Reason {
    /// As the metrics tell it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::QueueFull => "queue-full",
            Self::ConcurrencyLimit => "concurrency-limit",
            Self::TimeOut => "time-out",
        }
    }
}

// === impl Queues ===

impl<T> Default for Queues<T> {
    fn default() -> Self {
        Self {
            shape: Shape::default(),
            seats: 0,
            queues: vec![Queue::default()],
            used: 0,
            wanted: 0,
            waiting: 0,
            active: 0,
            virtual_time: 0.0,
            last: 0.0,
            next: 0,
            after: 0,
            demand: Demand::default(),
        }
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), running: 0, start: 0.0 }
    }
}

impl<T> Queue<T> {
    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running == 0
    }

    fn finish(&self) -> Option<f64> {
        self.waiting.front().map(|head| self.start + f64::from(head.seats) * GUESS)
    }
}

impl<T> Queues<T> {
    /// Other queues. Those that are no longer dealt are emptied by and by.
    pub fn reshape(&mut self, shape: Shape) {
        self.shape = shape;
        if self.queues.len() < shape.deck {
            self.queues.resize_with(shape.deck, Queue::default);
        }
    }

    /// Another number of seats; gives back who runs now.
    pub fn limit(&mut self, now: f64, seats: u32) -> Vec<T> {
        self.pass(now);
        self.seats = seats;
        self.dispatch()
    }

    /// A new request.
    pub fn arrive(&mut self, now: f64, hash: u64, seats: u32, token: impl FnOnce() -> T) -> Arrival<T> {
        self.pass(now);
        self.next += 1;
        let ticket = Ticket { queue: self.choose(hash), id: self.next, seats };
        let fits = self.fits(seats);
        let queue = &mut self.queues[ticket.queue];
        if self.shape.deck == 0 && !fits {
            return Arrival::Refused(Reason::ConcurrencyLimit);
        }
        if !fits && queue.waiting.len() >= self.shape.length {
            return Arrival::Refused(Reason::QueueFull);
        }
        if queue.is_idle() {
            queue.start = self.virtual_time;
            self.active += 1;
        }
        if fits && self.waiting == 0 {
            self.run(ticket.queue, seats);
            return Arrival::Run(ticket);
        }
        queue.waiting.push_back(Waiter { id: ticket.id, seats, token: token() });
        self.waiting += 1;
        self.wanted += seats;
        self.note();
        Arrival::Wait(ticket, self.dispatch())
    }

    /// A request is done after so many seconds; gives back who runs now.
    pub fn finish(&mut self, now: f64, ticket: Ticket, took: f64) -> Vec<T> {
        self.pass(now);
        let queue = &mut self.queues[ticket.queue];
        queue.running -= 1;
        queue.start += f64::from(ticket.seats) * (took - GUESS);
        self.used -= ticket.seats;
        if queue.is_idle() {
            self.active -= 1;
        }
        self.dispatch()
    }

    /// A request no longer waits. `false`: it runs already.
    pub fn leave(&mut self, now: f64, ticket: Ticket) -> bool {
        self.pass(now);
        let queue = &mut self.queues[ticket.queue];
        let Some(at) = queue.waiting.iter().position(|waiter| waiter.id == ticket.id) else { return false };
        queue.waiting.remove(at);
        self.waiting -= 1;
        self.wanted -= ticket.seats;
        if queue.is_idle() {
            self.active -= 1;
        }
        true
    }

    /// Takes what was wanted since the last time.
    pub fn demand(&mut self, now: f64) -> Demand {
        self.pass(now);
        std::mem::replace(&mut self.demand, Demand { since: now, most: self.used + self.wanted, ..Demand::default() })
    }

    fn fits(&self, seats: u32) -> bool {
        // what is wider than the level runs alone
        if seats > self.seats { self.used == 0 && self.seats > 0 } else { self.used + seats <= self.seats }
    }

    /// Of a flow's queues the one in which the least work waits.
    fn choose(&self, hash: u64) -> usize {
        let mut best = (u32::MAX, 0);
        hand::deal(hash, self.shape.deck, self.shape.hand, |card| {
            let work = if self.waiting == 0 { 0 } else { self.queues[card].waiting.iter().map(|w| w.seats).sum() };
            if work < best.0 {
                best = (work, card);
            }
        });
        best.1
    }

    fn run(&mut self, queue: usize, seats: u32) {
        let queue = &mut self.queues[queue];
        queue.running += 1;
        queue.start += f64::from(seats) * GUESS;
        self.used += seats;
        self.note();
    }

    /// Starts those whose turn it is, as long as the next one fits.
    fn dispatch(&mut self) -> Vec<T> {
        let mut started = Vec::new();
        while self.waiting > 0 {
            let Some(turn) = self.turn() else { break };
            let seats = self.queues[turn].waiting[0].seats;
            if !self.fits(seats) {
                break;
            }
            let Some(waiter) = self.queues[turn].waiting.pop_front() else { break };
            self.waiting -= 1;
            self.wanted -= seats;
            self.after = turn;
            self.run(turn, seats);
            started.push(waiter.token);
        }
        started
    }

    /// The queue whose head would finish first; among equals the one after the last that had its turn.
    fn turn(&self) -> Option<usize> {
        let count = self.queues.len();
        let order = (1..=count).map(|step| (self.after + step) % count);
        let finishing = order.filter_map(|at| Some((at, self.queues[at].finish()?)));
        finishing.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(at, _)| at)
    }

    fn pass(&mut self, now: f64) {
        let time = (now - self.last).max(0.0);
        self.last = now;
        let wanted = f64::from(self.used + self.wanted);
        self.demand.sum += wanted * time;
        self.demand.squares += wanted * wanted * time;
        if self.active > 0 {
            self.virtual_time += time * wanted.min(f64::from(self.seats)) / f64::from(self.active);
        }
    }

    fn note(&mut self) {
        self.demand.most = self.demand.most.max(self.used + self.wanted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queues(seats: u32) -> Queues<&'static str> {
        let mut queues = Queues::default();
        queues.reshape(Shape { deck: 8, hand: 2, length: 3 });
        queues.limit(0.0, seats);
        queues
    }

    fn ran(arrival: Arrival<&'static str>) -> Ticket {
        match arrival {
            Arrival::Run(ticket) => ticket,
            other => panic!("it should run: {other:?}"),
        }
    }

    fn waits(arrival: Arrival<&'static str>) -> Ticket {
        match arrival {
            Arrival::Wait(ticket, started) if started.is_empty() => ticket,
            other => panic!("it should wait: {other:?}"),
        }
    }

    /// The other queue of the first flow's hand.
    fn other(queue: usize) -> usize {
        let mut found = queue;
        hand::deal(1, 8, 2, |card| {
            if card != queue {
                found = card;
            }
        });
        found
    }

    #[test]
    fn a_flood_waits_behind_itself_and_not_before_others() {
        let mut queues = queues(1);
        let first = ran(queues.arrive(0.0, 1, 1, || "flood 0"));
        for _ in 0..6 {
            waits(queues.arrive(0.0, 1, 1, || "flood"));
        }
        assert_eq!(queues.arrive(0.0, 1, 1, || "flood"), Arrival::Refused(Reason::QueueFull));
        waits(queues.arrive(0.001, 5, 1, || "calm"));
        let second = Ticket { queue: other(first.queue), ..first };
        assert_eq!(queues.finish(0.1, first, 0.1), ["flood"], "its other queue has had no turn yet");
        assert_eq!(queues.finish(0.2, second, 0.1), ["calm"], "it overtakes those who had their turns");
    }

    #[test]
    fn wide_requests_pay_for_their_width() {
        let mut queues = queues(4);
        let wide = ran(queues.arrive(0.0, 1, 4, || "wide"));
        waits(queues.arrive(0.0, 1, 4, || "wide"));
        waits(queues.arrive(0.0, 5, 1, || "narrow"));
        waits(queues.arrive(0.0, 5, 1, || "narrow"));
        assert_eq!(queues.finish(0.1, wide, 0.1), ["narrow", "narrow"]);
    }

    #[test]
    fn who_leaves_makes_room_and_who_runs_cannot_leave() {
        let mut queues = queues(1);
        let first = ran(queues.arrive(0.0, 1, 1, || "a"));
        let second = waits(queues.arrive(0.0, 1, 1, || "b"));
        assert!(queues.leave(0.1, second) && !queues.leave(0.1, second) && !queues.leave(0.1, first));
        assert!(queues.finish(0.2, first, 0.2).is_empty());
        ran(queues.arrive(0.3, 1, 9, || "wider than the level"));
    }

    #[test]
    fn more_seats_let_more_run_and_no_queue_means_no_waiting() {
        let mut queues = queues(0);
        waits(queues.arrive(0.0, 1, 1, || "a"));
        waits(queues.arrive(0.0, 2, 1, || "b"));
        assert_eq!(queues.limit(0.1, 2).len(), 2);
        queues.reshape(Shape::default());
        assert_eq!(queues.arrive(0.2, 1, 1, || "c"), Arrival::Refused(Reason::ConcurrencyLimit));
        assert_eq!(queues.demand(0.3).most, 2);
    }
}
