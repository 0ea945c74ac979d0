//! A discrete-event simulation of requests, environments and stations.
//!
//! A station has a number of servers and one queue; an environment of a function takes one request at a time. Times of
//! service are exponential around their mean, and the same seed gives the same run.

use std::{
    cmp::Ordering,
    collections::{BinaryHeap, VecDeque},
};

/// What a request does, one step after another. Times are means in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Time that no other request takes part in, such as the network's.
    Wait(f64),
    /// Service at a station.
    At(usize, f64),
    /// Between these two a transaction holds a connection of the database.
    Begin,
    End,
}

/// How requests come.
#[derive(Clone, Copy, Debug)]
pub(super) enum Arrivals {
    PerSecond(f64),
    /// So many are always under way: each is followed by the next.
    Always(usize),
}

/// Requests of one kind, answered by the environments of one function.
#[derive(Clone, Debug)]
pub(super) struct Kind {
    pub(super) arrivals: Arrivals,
    pub(super) steps: Vec<Step>,
    pub(super) function: usize,
}

/// A function's environments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Function {
    pub(super) limit: usize,
    /// How long a new one takes to start.
    pub(super) start: f64,
}

/// What is simulated.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) kinds: Vec<Kind>,
    pub(super) functions: Vec<Function>,
    /// The number of servers of each station.
    pub(super) stations: Vec<usize>,
    pub(super) seconds: f64,
}

/// What came of it, without the first fifth of the time.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    /// Times of the answered requests in seconds, by kind.
    pub(super) times: Vec<Vec<f64>>,
    /// Requests that found no environment, by kind.
    pub(super) refused: Vec<usize>,
    /// Environments, by function, from the start on.
    pub(super) environments: Vec<usize>,
    /// The most environments with a request at once, by function.
    pub(super) busiest: Vec<usize>,
    /// Seconds of service, by station.
    pub(super) busy: Vec<f64>,
    /// The most transactions at once.
    pub(super) transactions: usize,
    pub(super) seconds: f64,
}

#[derive(Clone, Copy, Debug)]
struct Request {
    kind: usize,
    arrived: f64,
    step: usize,
}

enum What {
    Arrival(usize),
    /// The request's environment is there.
    Start(Request),
    /// The current step of a request is done.
    Done(Request),
}

struct Event {
    at: f64,
    what: What,
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Event {}
impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Event {
    // The heap gives the greatest first, which is to be the earliest.
    fn cmp(&self, other: &Self) -> Ordering {
        other.at.total_cmp(&self.at)
    }
}

struct Station {
    free: usize,
    queue: VecDeque<(Request, f64)>,
}

struct Run<'a> {
    setting: &'a Setting,
    events: BinaryHeap<Event>,
    stations: Vec<Station>,
    idle: Vec<usize>,
    open: usize,
    state: u64,
    outcome: Outcome,
}

/// Runs a setting.
pub(super) fn run(setting: &Setting, seed: u64) -> Outcome {
    let outcome = Outcome {
        times: vec![Vec::new(); setting.kinds.len()],
        refused: vec![0; setting.kinds.len()],
        environments: vec![0; setting.functions.len()],
        busiest: vec![0; setting.functions.len()],
        busy: vec![0.0; setting.stations.len()],
        transactions: 0,
        seconds: setting.seconds * 0.8,
    };
    let stations = setting.stations.iter().map(|free| Station { free: *free, queue: VecDeque::new() }).collect();
    let idle = vec![0; setting.functions.len()];
    let mut run = Run { setting, events: BinaryHeap::new(), stations, idle, open: 0, state: seed, outcome };
    for (place, kind) in setting.kinds.iter().enumerate() {
        let at_once = if let Arrivals::Always(count) = kind.arrivals { count } else { 1 };
        for _ in 0..at_once {
            run.events.push(Event { at: 0.0, what: What::Arrival(place) });
        }
    }
    while let Some(Event { at, what }) = run.events.pop().filter(|event| event.at < setting.seconds) {
        match what {
            What::Arrival(kind) => run.arrive(at, kind),
            What::Start(request) => run.next(at, request),
            What::Done(request) => run.go_on(at, request),
        }
    }
    run.outcome
}

impl Run<'_> {
    fn counts(&self, at: f64) -> bool {
        at >= self.setting.seconds * 0.2
    }

    fn arrive(&mut self, at: f64, place: usize) {
        let Some(kind) = self.setting.kinds.get(place) else { return };
        if let Arrivals::PerSecond(rate) = kind.arrivals {
            let next = at + self.exponential(1.0 / rate);
            self.events.push(Event { at: next, what: What::Arrival(place) });
        }
        let Some(function) = self.setting.functions.get(kind.function) else { return };
        let (Some(idle), Some(all)) =
            (self.idle.get_mut(kind.function), self.outcome.environments.get_mut(kind.function))
        else {
            return;
        };
        let starts = if *idle > 0 {
            *idle -= 1;
            0.0
        } else if *all < function.limit {
            *all += 1;
            function.start
        } else {
            if self.counts(at)
                && let Some(refused) = self.outcome.refused.get_mut(place)
            {
                *refused += 1;
            }
            return;
        };
        let busy = *all - *idle;
        if self.counts(at)
            && let Some(busiest) = self.outcome.busiest.get_mut(kind.function)
        {
            *busiest = busy.max(*busiest);
        }
        let request = Request { kind: place, arrived: at, step: 0 };
        self.events.push(Event { at: at + starts, what: What::Start(request) });
    }

    /// Begins the request's next step.
    fn next(&mut self, at: f64, request: Request) {
        let Some(kind) = self.setting.kinds.get(request.kind) else { return };
        match kind.steps.get(request.step) {
            Some(Step::Wait(mean)) => {
                let at = at + self.exponential(*mean);
                self.events.push(Event { at, what: What::Done(request) });
            }
            Some(Step::At(place, mean)) => {
                let time = self.exponential(*mean);
                match self.stations.get_mut(*place) {
                    Some(station) if station.free > 0 => {
                        station.free -= 1;
                        self.serve(at, *place, request, time);
                    }
                    Some(station) => station.queue.push_back((request, time)),
                    None => {}
                }
            }
            Some(step) => {
                if matches!(step, Step::Begin) {
                    self.open += 1;
                    self.outcome.transactions = self.outcome.transactions.max(self.open);
                } else {
                    self.open -= 1;
                }
                self.next(at, Request { step: request.step + 1, ..request });
            }
            None => self.answer(at, &request, kind),
        }
    }

    fn serve(&mut self, at: f64, place: usize, request: Request, time: f64) {
        if self.counts(at)
            && let Some(busy) = self.outcome.busy.get_mut(place)
        {
            *busy += time;
        }
        self.events.push(Event { at: at + time, what: What::Done(request) });
    }

    fn go_on(&mut self, at: f64, request: Request) {
        let step = self.setting.kinds.get(request.kind).and_then(|kind| kind.steps.get(request.step));
        if let Some(Step::At(place, _)) = step
            && let Some(station) = self.stations.get_mut(*place)
        {
            match station.queue.pop_front() {
                Some((waiting, time)) => self.serve(at, *place, waiting, time),
                None => station.free += 1,
            }
        }
        self.next(at, Request { step: request.step + 1, ..request });
    }

    fn answer(&mut self, at: f64, request: &Request, kind: &Kind) {
        if let Some(idle) = self.idle.get_mut(kind.function) {
            *idle += 1;
        }
        if self.counts(at)
            && let Some(times) = self.outcome.times.get_mut(request.kind)
        {
            times.push(at - request.arrived);
        }
        if let Arrivals::Always(_) = kind.arrivals {
            self.arrive(at, request.kind);
        }
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        let part = crate::series::number(bits >> 11) / crate::series::number(1 << 53);
        -mean * (1.0 - part).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(arrivals: Arrivals, steps: Vec<Step>, limit: usize, servers: usize) -> Setting {
        Setting {
            kinds: vec![Kind { arrivals, steps, function: 0 }],
            functions: vec![Function { limit, start: 0.0 }],
            stations: vec![servers],
            seconds: 4_000.0,
        }
    }

    #[test]
    fn a_single_queue_waits_as_theory_says() {
        // Half busy, one server: the mean time is the service's divided by the idle half.
        let outcome = run(&setting(Arrivals::PerSecond(5.0), vec![Step::At(0, 0.1)], 1_000, 1), 7);
        let times = outcome.times.first().unwrap();
        let mean = times.iter().sum::<f64>() / crate::series::number(times.len() as u64);
        assert!((0.19..0.21).contains(&mean), "{mean}");
        assert!((0.49..0.51).contains(&(outcome.busy.first().unwrap() / outcome.seconds)));
    }

    #[test]
    fn requests_beyond_the_limit_of_environments_are_refused_as_erlang_says() {
        // Two requests under way on average, three environments: Erlang's formula refuses 4 in 19.
        let outcome = run(&setting(Arrivals::PerSecond(2.0), vec![Step::Wait(1.0)], 3, 1), 7);
        let (answered, refused) = (outcome.times.first().unwrap().len(), outcome.refused.first().unwrap());
        let part = crate::series::number(*refused as u64) / crate::series::number((refused + answered) as u64);
        assert!((part - 4.0 / 19.0).abs() < 0.01, "{part}");
        assert_eq!(outcome.environments, [3]);
    }

    #[test]
    fn the_same_seed_gives_the_same_run_and_another_one_another() {
        let setting = setting(Arrivals::Always(3), vec![Step::Begin, Step::At(0, 0.1), Step::End], 3, 2);
        let [one, again, other] = [7, 7, 8].map(|seed| run(&setting, seed).times);
        assert_eq!(one, again);
        assert_ne!(one, other);
    }
}
