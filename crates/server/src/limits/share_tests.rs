//! The arithmetic, and what many nodes with it do together.

use std::collections::BTreeSet;

use prilavok_domain::{BusinessId, Timestamp};
use prilavok_store::{Calls, Claim, Granted};

use super::settings::Limit;
use super::share::{Share, Taken, Terms};

fn hour(number: i64) -> Timestamp {
    Timestamp::from_millis(1_732_406_400_000 + number * 3_600_000).expect("in range")
}

const SECOND: u64 = 1_000;

/// What the store does, one claim after the other.
struct Row {
    limit: u32,
    used: u64,
    trips: u32,
}

impl Row {
    fn ask(&mut self, calls: Calls) -> Granted {
        let claim = Claim {
            business: BusinessId::new(1).expect("an id"),
            operation: "getChat".to_owned(),
            hour: hour(0),
            limit: Some(self.limit),
            calls,
        };
        let granted = claim.on(hour(0), self.used);
        (self.used, self.trips) = (granted.used, self.trips + 1);
        granted
    }
}

/// How nodes hear of each other.
#[derive(Debug, Clone, Copy)]
enum Notices {
    /// Within 50 ms.
    Arrive,
    /// Never: they find at their look each second that there was something to hear.
    AreLost,
}

/// What happens at a node beside calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Second,
    Notice,
}

/// Nodes, and how calls come to them.
struct Market {
    row: Row,
    nodes: Vec<Share>,
    terms: Terms,
    notices: Notices,
    random: fastrand::Rng,
    now: u64,
    ahead: BTreeSet<(u64, Event, usize)>,
    accepted: u32,
    /// How often the store had been asked when the last call was accepted.
    trips: u32,
    /// Since when each node refuses calls too early, the longest that any did, and how many were.
    refusing: Vec<Option<u64>>,
    longest: u64,
    early: u32,
}

impl Market {
    fn new(limit: u32, nodes: u32, notices: Notices, seed: u64) -> Self {
        let all = 0..nodes as usize;
        Self {
            row: Row {
                limit,
                used: 0,
                trips: 0,
            },
            nodes: all.clone().map(|_| Share::new(hour(0))).collect(),
            terms: Terms {
                limit: Limit::At(limit),
                nodes,
            },
            notices,
            random: fastrand::Rng::with_seed(seed),
            now: 0,
            ahead: all
                .clone()
                .map(|node| (SECOND - 7 * node as u64, Event::Second, node))
                .collect(),
            accepted: 0,
            trips: 0,
            refusing: all.map(|_| None).collect(),
            longest: 0,
            early: 0,
        }
    }

    fn least(&self) -> u32 {
        self.row.limit - self.row.limit / 50
    }

    fn ask(&mut self, node: usize, calls: Calls) {
        let granted = self.row.ask(calls);
        if self.nodes[node].granted(self.terms, calls, granted) {
            // The telling is a statement as well.
            self.row.trips += 1;
            for other in 0..self.nodes.len() {
                let after = match self.notices {
                    Notices::Arrive if other == node => continue,
                    Notices::Arrive => 50,
                    Notices::AreLost => self.random.u64(0..=SECOND),
                };
                self.ahead.insert((self.now + after, Event::Notice, other));
            }
        }
    }

    /// A call that comes to a node.
    fn call(&mut self, node: usize) {
        let mut taken = self.nodes[node].take(self.terms);
        if let Taken::Ask(calls) = taken {
            self.ask(node, calls);
            taken = self.nodes[node].take(self.terms);
        }
        if taken == Taken::Yes {
            self.accepted += 1;
            assert!(self.accepted <= self.row.limit, "more than may be");
            self.trips = self.row.trips;
            self.refusing[node] = None;
        } else if self.accepted < self.least() {
            let since = *self.refusing[node].get_or_insert(self.now);
            self.longest = self.longest.max(self.now - since);
            self.early += 1;
        }
    }

    /// What happens up to an instant beside calls.
    fn pass_to(&mut self, now: u64) {
        while let Some(&next) = self.ahead.first()
            && next.0 <= now
        {
            self.ahead.remove(&next);
            let (at, event, node) = next;
            self.now = at;
            let due = match event {
                Event::Second => {
                    self.ahead.insert((at + SECOND, event, node));
                    self.nodes[node].tick(self.terms)
                }
                Event::Notice => self.nodes[node].told_scarce(self.terms),
            };
            if let Some(calls) = due {
                self.ask(node, calls);
            }
        }
        self.now = now;
    }
}

/// How calls choose a node.
#[derive(Debug, Clone, Copy)]
enum Arrival {
    Evenly,
    /// Nine of ten to the first node.
    Mostly,
    /// One to each, then all to the first.
    First,
    /// To one node for a while, then to the next.
    InTurn,
}

const ARRIVALS: [Arrival; 4] = [Arrival::Evenly, Arrival::Mostly, Arrival::First, Arrival::InTurn];

/// Calls a second, of all nodes together.
const RATES: [u32; 5] = [1, 3, 20, 100, 1_000];

/// Lets half as many calls again come as may be made, or as many as come in an hour.
fn rush(market: &mut Market, rate: u32, arrival: Arrival) -> u32 {
    let nodes = market.nodes.len();
    let calls = (market.row.limit + market.row.limit / 2)
        .max(market.terms.nodes)
        .min(rate * 3_600);
    for number in 0..calls {
        market.pass_to(u64::from(number) * SECOND / u64::from(rate));
        let node = match arrival {
            Arrival::Evenly => market.random.usize(..nodes),
            Arrival::Mostly if market.random.u8(..10) == 0 => market.random.usize(..nodes),
            Arrival::First if (number as usize) < nodes => number as usize,
            Arrival::Mostly | Arrival::First => 0,
            Arrival::InTurn => (market.now / (3 * SECOND)) as usize % nodes,
        };
        market.call(node);
    }
    calls
}

/// Each traffic, with some seeds.
fn traffics() -> impl Iterator<Item = (u32, Arrival, u64)> {
    RATES
        .into_iter()
        .flat_map(|rate| ARRIVALS.map(|arrival| (rate, arrival)))
        .flat_map(|(rate, arrival)| [1, 2, 3].map(|seed| (rate, arrival, seed)))
}

#[test]
fn nodes_share_a_limit_to_within_two_in_a_hundred() {
    for limit in [1, 10, 100, 1_000, 10_000] {
        for nodes in [1, 2, 3, 4, 6, 8, 32] {
            for (rate, arrival, seed) in traffics() {
                for (notices, moment) in [(Notices::Arrive, SECOND), (Notices::AreLost, 6 * SECOND)] {
                    let mut market = Market::new(limit, nodes, notices, seed);
                    let calls = rush(&mut market, rate, arrival);
                    let early = market.early;
                    // What some hold while others are refused is theirs again soon.
                    for _ in 0..6 {
                        market.pass_to(market.now + SECOND);
                        (0..limit).for_each(|_| market.call(0));
                    }
                    let least = market.least().min(calls);
                    let of = format!(
                        "{limit} on {nodes} nodes, {rate} a second, {arrival:?}, notices {notices:?}"
                    );
                    assert!(market.accepted >= least, "{} of {of}", market.accepted);
                    let refused = market.longest;
                    assert!(refused < moment, "refused too early for {refused} ms: {of}");
                    let is_slow = matches!(notices, Notices::Arrive) && rate <= 20;
                    assert!(!is_slow || early == 0, "{early} are refused too early: {of}");
                }
            }
        }
    }
}

/// How many calls each question to the store is for, in the worst of all traffics, on 1 to 8 nodes. Of a thousand calls six
/// nodes and more may hold so few at the end that questions are more frequent.
const REACHED: [(u32, [u32; 8]); 5] = [
    (100, [5, 4, 3, 2, 2, 2, 2, 2]),
    (1_000, [50, 40, 27, 23, 20, 15, 11, 9]),
    (2_000, [57, 48, 37, 35, 30, 28, 25, 22]),
    (5_000, [98, 89, 53, 50, 48, 44, 42, 40]),
    (10_000, [196, 180, 91, 60, 55, 53, 51, 49]),
];

#[test]
fn the_store_is_asked_once_for_twenty_calls_or_fewer_times() {
    let mut reached = REACHED;
    for (limit, worst) in &mut reached {
        for (nodes, worst) in (1..).zip(worst) {
            let each = traffics().map(|(rate, arrival, seed)| {
                let mut market = Market::new(*limit, nodes, Notices::Arrive, seed);
                let calls = rush(&mut market, rate, arrival);
                // Of those that were accepted, and of all.
                (market.accepted / market.trips).min(calls / market.row.trips)
            });
            *worst = each.min().expect("traffic");
        }
    }
    assert_eq!(reached, REACHED);
}

const TERMS: Terms = Terms {
    limit: Limit::At(1_000),
    nodes: 2,
};

fn granted(number: i64, used: u64, calls: u32) -> Granted {
    Granted {
        hour: hour(number),
        used,
        calls,
    }
}

#[test]
fn a_call_that_is_given_back_can_be_made_again() {
    let mut share = Share::new(hour(0));
    let Taken::Ask(claimed) = share.take(TERMS) else {
        panic!("nothing is held")
    };
    assert_eq!(
        claimed,
        Calls::Take {
            least: 20,
            most: 60,
            parts: 2
        }
    );
    share.granted(TERMS, claimed, granted(0, 1_000, 1));
    assert_eq!(share.take(TERMS), Taken::Yes);
    assert_eq!(share.used(), 1_000);
    share.give_back();
    assert_eq!(share.used(), 999);
    assert_eq!(share.take(TERMS), Taken::Yes);
}

#[test]
fn a_limit_that_is_used_up_is_asked_about_ever_more_rarely() {
    let mut share = Share::new(hour(0));
    let mut asked = Vec::new();
    for second in 0..1_000 {
        for _ in 0..5 {
            if let Taken::Ask(claimed) = share.take(TERMS) {
                share.granted(TERMS, claimed, granted(0, 1_000, 0));
                asked.push(second);
            }
        }
        assert_eq!(share.tick(TERMS), None);
    }
    assert_eq!(asked, [0, 1, 5, 69, 325, 581, 837]);
}

#[test]
fn a_new_hour_begins_anew_and_a_clock_that_steps_back_stays() {
    let mut share = Share::new(hour(0));
    let claimed = Calls::Take {
        least: 20,
        most: 60,
        parts: 2,
    };
    share.granted(TERMS, claimed, granted(0, 20, 20));
    share.turn_to(hour(-1));
    assert_eq!(
        (share.hour(), share.take(TERMS)),
        (hour(0), Taken::Yes),
        "a clock that stepped back"
    );
    share.turn_to(hour(1));
    assert_eq!((share.hour(), share.used()), (hour(1), 0));
    share.granted(TERMS, claimed, granted(0, 40, 20));
    assert!(
        matches!(share.take(TERMS), Taken::Ask(_)),
        "what was granted of an hour that is over"
    );
    // Another node is ahead.
    share.granted(TERMS, claimed, granted(2, 20, 20));
    assert_eq!((share.hour(), share.take(TERMS)), (hour(2), Taken::Yes));
}

#[test]
fn what_is_charged_is_counted_afterwards_with_a_claim() {
    let mut share = Share::new(hour(0));
    (0..2).for_each(|_| share.charge());
    assert_eq!(share.used(), 2);
    let claimed = Calls::Take {
        least: 22,
        most: 62,
        parts: 2,
    };
    assert_eq!(share.tick(TERMS), Some(claimed));
    share.granted(TERMS, claimed, granted(0, 69, 62));
    assert_eq!((share.used(), share.tick(TERMS)), (9, None));
    share.charge();
    assert_eq!((share.used(), share.tick(TERMS)), (10, None));
}

#[test]
fn what_is_unlimited_is_counted_when_it_is_worth_a_question_or_the_node_stops() {
    let unlimited = Terms {
        limit: Limit::Unlimited,
        nodes: 2,
    };
    let owed = |calls| Calls::Take {
        least: calls,
        most: calls,
        parts: 1,
    };
    let mut share = Share::new(hour(0));
    for made in 1..=60 {
        assert_eq!(share.tick(unlimited), None, "after {made} calls");
        assert_eq!(share.take(unlimited), Taken::Yes);
    }
    assert_eq!(share.tick(unlimited), Some(owed(60)));
    assert!(!share.granted(unlimited, owed(60), granted(0, 67, 60)));
    assert_eq!(share.take(unlimited), Taken::Yes);
    assert_eq!(share.used(), 68);
    assert_eq!(share.leave(), Some(owed(1)));
}

#[test]
fn whoever_leaves_no_more_than_one_claim_tells_once_and_the_others_keep_as_much() {
    let claimed = |calls| Calls::Take {
        least: calls,
        most: calls,
        parts: 2,
    };
    let (mut finder, mut other) = (Share::new(hour(0)), Share::new(hour(0)));
    assert!(!other.granted(TERMS, claimed(60), granted(0, 60, 60)));
    assert!(!finder.granted(TERMS, claimed(60), granted(0, 979, 60)));
    assert!(finder.granted(TERMS, claimed(1), granted(0, 980, 1)));
    assert!(!finder.granted(TERMS, claimed(1), granted(0, 981, 1)));
    assert_eq!(other.told_scarce(TERMS), Some(Calls::GiveBack(40)));
    assert_eq!(other.told_scarce(TERMS), None);
    // What could not be given back is given back later.
    other.failed(hour(0), Calls::GiveBack(40));
    let due: Vec<_> = (0..4).filter_map(|_| other.tick(TERMS)).collect();
    assert_eq!(due, [Calls::GiveBack(40)]);
    // It is found again, and told again.
    assert!(!other.granted(TERMS, Calls::GiveBack(40), granted(0, 941, 0)));
    assert!(!finder.granted(TERMS, claimed(20), granted(0, 961, 20)));
    assert!(finder.granted(TERMS, claimed(20), granted(0, 981, 20)));
}

#[test]
fn who_finds_that_nothing_is_left_and_was_not_told_tells() {
    let mut share = Share::new(hour(0));
    let claimed = share.wants(TERMS).expect("a claim");
    // Whoever took the last calls has died before it told.
    let told: Vec<_> = (0..3)
        .map(|_| share.granted(TERMS, claimed, granted(0, 1_000, 0)))
        .collect();
    assert_eq!(told, [true, false, false]);
    assert_eq!(share.told_scarce(TERMS), None);
}
