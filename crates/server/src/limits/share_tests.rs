//! The arithmetic, and what many nodes with it do together.

use prilavok_domain::{BusinessId, Timestamp};
use prilavok_store::{Calls, Claim, Granted};

use super::settings::Limit;
use super::share::{Share, Taken, Terms};

fn hour(number: i64) -> Timestamp {
    Timestamp::from_millis(1_732_406_400_000 + number * 3_600_000).expect("in range")
}

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

/// The calls over which it is averaged how often the store is asked.
const WINDOW: u32 = 1_000;

/// Nodes, and how calls come to them.
struct Market {
    row: Row,
    nodes: Vec<Share>,
    terms: Terms,
    accepted: u32,
    /// How often the store was asked, for each thousand calls.
    windows: Vec<u32>,
}

impl Market {
    fn new(limit: u32, nodes: u32) -> Self {
        Self {
            row: Row {
                limit,
                used: 0,
                trips: 0,
            },
            nodes: (0..nodes).map(|_| Share::new(hour(0))).collect(),
            terms: Terms {
                limit: Limit::At(limit),
                nodes,
            },
            accepted: 0,
            windows: Vec::new(),
        }
    }

    /// A call that comes to a node.
    fn call(&mut self, node: usize) -> bool {
        let node = &mut self.nodes[node];
        let taken = match node.take(self.terms) {
            Taken::Ask(calls) => {
                node.granted(calls, self.row.ask(calls));
                node.take(self.terms) == Taken::Yes
            }
            taken => taken == Taken::Yes,
        };
        self.accepted += u32::from(taken);
        taken
    }

    /// A second is over, on each node.
    fn second(&mut self) {
        for node in &mut self.nodes {
            if let Some(calls) = node.tick(self.terms) {
                node.granted(calls, self.row.ask(calls));
            }
        }
    }
}

/// How calls choose a node.
#[derive(Debug, Clone, Copy)]
enum Arrival {
    Evenly,
    /// Nine of ten to the first node.
    Mostly,
    First,
    /// To one node for a while, then to the next.
    InTurn,
}

impl Arrival {
    fn node(self, random: &mut fastrand::Rng, nodes: usize, second: u32) -> usize {
        match self {
            Self::Evenly => random.usize(..nodes),
            Self::Mostly if random.u8(..10) == 0 => random.usize(..nodes),
            Self::Mostly | Self::First => 0,
            Self::InTurn => (second / 3) as usize % nodes,
        }
    }
}

const ARRIVALS: [Arrival; 4] = [Arrival::Evenly, Arrival::Mostly, Arrival::First, Arrival::InTurn];

/// Lets half as many calls again come as may be made, so many a second.
fn rush(limit: u32, nodes: u32, rate: u32, arrival: Arrival) -> Market {
    let mut random = fastrand::Rng::with_seed(u64::from(limit ^ nodes ^ rate));
    let mut market = Market::new(limit, nodes);
    let (mut calls, mut second) = (0, 0);
    let mut windows = Vec::new();
    while calls < limit + limit / 2 {
        for _ in 0..rate {
            market.call(arrival.node(&mut random, nodes as usize, second));
            assert!(market.accepted <= limit, "more than may be");
            calls += 1;
            if calls % WINDOW == 0 {
                let before: u32 = windows.iter().sum();
                windows.push(market.row.trips - before);
            }
        }
        market.second();
        second += 1;
    }
    market.windows = windows;
    market
}

#[test]
fn nodes_share_a_limit_to_within_two_in_a_hundred() {
    for limit in [1, 10, 100, 1_000, 5_000] {
        for nodes in [1, 2, 3, 4, 8, 32] {
            for (rate, arrival) in [3, 40, 400, 5_000]
                .into_iter()
                .flat_map(|rate| ARRIVALS.map(|arrival| (rate, arrival)))
            {
                let mut market = rush(limit, nodes, rate, arrival);
                // What some hold while others are refused is theirs again soon.
                for _ in 0..40 {
                    market.call(0);
                    market.second();
                }
                let least = limit - limit / 50;
                assert!(
                    (least..=limit).contains(&market.accepted),
                    "{} of {limit} on {nodes} nodes, {rate} a second, {arrival:?}",
                    market.accepted
                );
            }
        }
    }
}

#[test]
fn the_store_is_asked_once_for_twenty_calls_or_fewer_times() {
    for limit in [1_000, 2_000, 5_000, 10_000] {
        for (nodes, rate) in [
            (1, 40),
            (2, 40),
            (3, 60),
            (2, 400),
            (3, 400),
            (4, 400),
            (4, 5_000),
        ] {
            for arrival in ARRIVALS {
                let market = rush(limit, nodes, rate, arrival);
                let most = market.windows.iter().max().expect("a window");
                assert!(
                    *most <= WINDOW / 20,
                    "{most} times for {WINDOW} calls: {limit} on {nodes} nodes, {rate} a second, {arrival:?}"
                );
            }
        }
    }
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
            most: 20,
            parts: 3
        }
    );
    share.granted(claimed, granted(0, 1_000, 1));
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
    for second in 0..60 {
        for _ in 0..5 {
            if let Taken::Ask(claimed) = share.take(TERMS) {
                share.granted(claimed, granted(0, 1_000, 0));
                asked.push(second);
            }
        }
        assert_eq!(share.tick(TERMS), None);
    }
    assert_eq!(asked, [0, 1, 3, 7, 15, 31, 47]);
}

#[test]
fn a_new_hour_begins_anew_and_a_clock_that_steps_back_stays() {
    let mut share = Share::new(hour(0));
    let claimed = Calls::Take {
        least: 20,
        most: 20,
        parts: 3,
    };
    share.granted(claimed, granted(0, 20, 20));
    share.turn_to(hour(-1));
    assert_eq!(
        (share.hour(), share.take(TERMS)),
        (hour(0), Taken::Yes),
        "a clock that stepped back"
    );
    share.turn_to(hour(1));
    assert_eq!((share.hour(), share.used()), (hour(1), 0));
    share.granted(claimed, granted(0, 40, 20));
    assert!(
        matches!(share.take(TERMS), Taken::Ask(_)),
        "what was granted of an hour that is over"
    );
    // Another node is ahead.
    share.granted(claimed, granted(2, 20, 20));
    assert_eq!((share.hour(), share.take(TERMS)), (hour(2), Taken::Yes));
}

#[test]
fn what_is_charged_or_unlimited_is_counted_afterwards() {
    let mut share = Share::new(hour(0));
    share.charge();
    let unlimited = Terms {
        limit: Limit::Unlimited,
        nodes: 2,
    };
    assert_eq!(share.take(unlimited), Taken::Yes);
    assert_eq!(share.used(), 2);
    let claimed = share.tick(unlimited).expect("two calls");
    assert_eq!(
        claimed,
        Calls::Take {
            least: 2,
            most: 2,
            parts: 1
        }
    );
    share.granted(claimed, granted(0, 7, 2));
    assert_eq!((share.used(), share.tick(unlimited)), (7, None));
}
