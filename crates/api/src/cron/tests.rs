use super::*;

fn next_of(schedule: &str, after: &str, zone: &str) -> String {
    let zone = zone::load(zone).expect("a zone");
    let schedule = Schedule::parse(schedule).expect("a schedule");
    let next = schedule.next(after.parse().expect("a time"), &zone);
    next.map_or_else(|| "never".into(), |t| t.to_string())
}

fn fault(schedule: &str) -> String {
    Schedule::parse(schedule).expect_err("no schedule").to_string()
}

#[test]
fn the_next_time_lies_after_the_given_one_and_fits_each_field() {
    for (schedule, after, next) in [
        ("*/15 * * * *", "2026-01-01T00:15:00Z", "2026-01-01T00:30:00Z"),
        ("*/15 * * * *", "2026-01-01T00:14:59.5Z", "2026-01-01T00:15:00Z"),
        ("5 4 * * sun", "2026-01-01T00:00:00Z", "2026-01-04T04:05:00Z"),
        ("0 0 13 * fri", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
        ("0 0 */13 * fri", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
        ("0 0 29 feb *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("0 0 31 2 *", "2026-01-01T00:00:00Z", "never"),
        (", * * * *", "2026-01-01T00:00:00Z", "never"),
        ("@yearly", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("@every 1h30m", "2026-01-01T00:00:00.25Z", "2026-01-01T01:30:00Z"),
        ("@every 10ms", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"),
        ("TZ=Asia/Tokyo 0 9 * * ?", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
    ] {
        assert_eq!(next_of(schedule, after, "UTC"), next, "{schedule} after {after}");
    }
}

#[test]
fn a_skipped_hour_fires_nothing_and_a_repeated_one_twice() {
    let zone = "America/New_York";
    assert_eq!(next_of("30 2 * * *", "2026-03-07T12:00:00Z", zone), "2026-03-09T06:30:00Z");
    assert_eq!(next_of("30 1 * * *", "2026-11-01T05:30:00Z", zone), "2026-11-01T06:30:00Z");
}

#[test]
fn faults_read_as_upstream_words_them() {
    for (schedule, text) in [
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("*/2/3 * * * *", "too many slashes: */2/3"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("*/-1 * * * *", "negative number (-1) not allowed: -1"),
        ("x * * * *", "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax"),
        ("@often", "unrecognized descriptor: @often"),
        ("@every x", "failed to parse duration x: time: invalid duration \"x\""),
        ("TZ=0", "invalid schedule format: runtime error: slice bounds out of range [:-1]"),
        ("TZ=Mars 0 0 * * *", "provided bad location Mars: unknown time zone Mars"),
    ] {
        assert_eq!(fault(schedule), text);
    }
}

#[test]
fn names_of_zones_know_letters_from_capitals() {
    assert!(zone::load("Europe/Berlin").is_ok());
    assert_eq!(zone::load("europe/berlin").expect_err("unknown").to_string(), "unknown time zone europe/berlin");
    assert_eq!(zone::load("../etc").expect_err("malformed"), zone::Unknown::Malformed);
}
