//! Each test is a table. A row has the second (on both clocks), an event, and the expected response of the schedule.
//!
//! Unless a table says otherwise, the settings are the defaults: refresh interval 900 s, window 30 s, `max_staleness`
//! 86,400 s, time limit of a fetch 3 s. The jitter is 0, so a set is refreshed at 75 % of its lifetime.

mod lifetime;
mod requests;

use std::{collections::HashMap, time::Duration};

use serde_json::json;

use crate::{
    clock::{Clock, SystemClock},
    keys::{
        freshness::Timestamp,
        schedule::{Action, FetchCounts, Miss, Schedule},
        set::KeySet,
        settings::KeySettings,
        source::FetchError,
    },
};

#[derive(Debug, Clone, Copy)]
enum Event {
    /// A request consults the schedule before it uses the set.
    UseSet,
    /// A request arrives with a key that is not in the set.
    Request(&'static str),
    /// The same request consults the schedule again after waiting.
    RequestAgain(&'static str),
    /// The application calls `ready`, or that call consults the schedule again.
    Ready,
    ReadyAgain,
    /// The application calls `force_refresh`, or that call consults the schedule again.
    Force,
    ForceAgain,
    Timer,
    /// The newest fetch ends.
    Succeeds,
    Fails,
    IsLost,
    /// The fetch with this number ends.
    SucceedsLate(u64),
    FailsLate(u64),
    /// Only the wall clock advances by this many seconds, as on a suspended machine.
    Suspended(u64),
    /// The wall clock is set back by this many seconds.
    SetBack(u64),
    /// A set with the key `a` is replaced by one with the key `b`.
    KeyIsWithdrawn,
}

/// A row of a table: the second, the event, the expected response.
type Row = (u64, Event, &'static str);

struct Run {
    schedule: Schedule,
    start: Timestamp,
    /// How far the wall clock is ahead of the monotonic one.
    ahead: i64,
    arrivals: HashMap<&'static str, FetchCounts>,
}

impl Run {
    fn new(settings: KeySettings) -> Self {
        let start = Timestamp::at(SystemClock.now());
        let schedule = Schedule::new(settings, start);
        Self { schedule, start, ahead: 0, arrivals: HashMap::new() }
    }

    /// A run whose set was fetched at second 0.
    fn with_set(settings: KeySettings) -> Self {
        let mut run = Self::new(settings);
        run.check(&[(0, Event::Force, "fetch"), (0, Event::Succeeds, "stored")]);
        run
    }

    fn now(&self, second: u64) -> Timestamp {
        let passed = Duration::from_secs(second);
        let ahead = Duration::from_secs(self.ahead.unsigned_abs());
        let wall = self.start.wall + passed;
        let wall = if self.ahead < 0 { wall - ahead } else { wall + ahead };
        Timestamp { wall, monotonic: self.start.monotonic + passed }
    }

    fn check(&mut self, table: &[Row]) {
        for (second, event, expected) in table {
            let response = self.apply(*event, self.now(*second));
            assert_eq!(response, *expected, "second {second}: {event:?}");
        }
    }

    fn apply(&mut self, event: Event, now: Timestamp) -> String {
        use Event::*;
        let newest = self.schedule.begun();
        match event {
            UseSet => {
                let action = self.schedule.use_set(now);
                // A request that has to wait looks up its key next, and that starts the fetch.
                if let Action::Fetch(_) = action {
                    return "fetch first".to_owned();
                }
                self.execute(action, now)
            }
            Request(kid) => {
                self.arrivals.insert(kid, self.schedule.fetch_counts(now));
                self.apply(RequestAgain(kid), now)
            }
            RequestAgain(kid) => {
                let action = self.schedule.find_key(kid, self.arrivals[kid], now);
                self.execute(action, now)
            }
            Ready => {
                self.arrivals.insert("ready", self.schedule.fetch_counts(now));
                self.apply(ReadyAgain, now)
            }
            ReadyAgain => {
                let action = self.schedule.ready(self.arrivals["ready"], now);
                self.execute(action, now)
            }
            Force => {
                self.arrivals.insert("force", self.schedule.fetch_counts(now));
                self.apply(ForceAgain, now)
            }
            ForceAgain => {
                let action = self.schedule.force(self.arrivals["force"], now);
                self.execute(action, now)
            }
            Timer => {
                let action = self.schedule.timer(now);
                self.execute(action, now)
            }
            Succeeds => self.apply(SucceedsLate(newest), now),
            Fails => self.apply(FailsLate(newest), now),
            SucceedsLate(number) => {
                let is_stored = self.schedule.fetch_succeeded(number, None, now);
                if is_stored { "stored" } else { "discarded" }.to_owned()
            }
            FailsLate(number) => {
                self.schedule.fetch_failed(number, FetchError::Status(500), now);
                String::new()
            }
            IsLost => {
                self.schedule.fetch_lost(newest, now);
                String::new()
            }
            Suspended(seconds) => {
                self.ahead += i64::try_from(seconds).unwrap();
                String::new()
            }
            SetBack(seconds) => {
                self.ahead -= i64::try_from(seconds).unwrap();
                String::new()
            }
            KeyIsWithdrawn => {
                self.schedule.keys_replaced(&set("a"), &set("b"));
                String::new()
            }
        }
    }

    /// Starts the fetch that an action requires, as the driver does.
    fn execute(&mut self, action: Action, now: Timestamp) -> String {
        if let Action::Fetch(trigger) | Action::UseSetAndFetch(trigger) = action {
            self.schedule.fetch_began(trigger, 0.0, now);
        }
        match action {
            Action::UseSet => "use the set".to_owned(),
            Action::UseSetAndFetch(_) => "use the set and fetch".to_owned(),
            Action::Fetch(_) => "fetch".to_owned(),
            Action::Wait => "wait".to_owned(),
            Action::Respond(Miss::Unknown) => "unknown".to_owned(),
            Action::Respond(Miss::Unavailable(after)) => {
                format!("unavailable for {} s", after.as_secs())
            }
        }
    }
}

fn set(kid: &str) -> KeySet {
    let key = json!({
        "kty": "RSA", "alg": "RS256", "kid": kid, "e": "AQAB", "n": format!("{}w", "_".repeat(341)),
    });
    KeySet::from_json(&json!({ "keys": [key] }).to_string()).unwrap()
}

fn on_demand() -> KeySettings {
    KeySettings { background: false, ..KeySettings::default() }
}

const SECOND: Duration = Duration::from_secs(1);
