use super::*;

fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).expect(text)
}

#[test]
fn the_canonical_form_is_upstreams() {
    for (text, printed) in [
        ("0", "0"),
        ("0Gi", "0"),
        ("1.5", "1500m"),
        ("0.1", "100m"),
        ("1000m", "1"),
        ("1.5Gi", "1536Mi"),
        ("1024Mi", "1Gi"),
        ("1000", "1k"),
        ("1024", "1024"),
        ("512Ki", "512Ki"),
        ("0.5Ki", "512"),
        ("0.5Gi", "512Mi"),
        ("100k", "100k"),
        ("1e3", "1e3"),
        ("12e6", "12e6"),
        ("1E3", "1e3"),
        ("1E", "1E"),
        ("-5m", "-5m"),
        ("+2", "2"),
        (".5", "500m"),
        ("1.", "1"),
        ("0.1m", "100u"),
        ("0.5n", "1n"),
        ("100Ei", "9223372036854775807"),
        ("0.001Ki", "1024m"),
    ] {
        assert_eq!(quantity(text).to_string(), printed, "{text}");
    }
}

#[test]
fn faults_read_as_upstream_words_them() {
    for (text, error) in [
        ("", QuantityError::Format),
        ("a", QuantityError::Format),
        ("1 Gi", QuantityError::Format),
        ("1gi", QuantityError::Format),
        ("1.2.3", QuantityError::Format),
        ("1mm", QuantityError::Suffix),
        ("1iK", QuantityError::Suffix),
        ("1e", QuantityError::Suffix),
    ] {
        assert_eq!(Quantity::parse(text), Err(error), "{text}");
    }
}

#[test]
fn printing_and_parsing_are_inverse() {
    for format in [Format::DecimalSi, Format::BinarySi, Format::DecimalExponent] {
        for n in (0..63).flat_map(|bits| [(1_i64 << bits) - 1, 1 << bits, (1 << bits) + 1]) {
            let amount = Quantity::new(n, format);
            assert_eq!(quantity(&amount.to_string()), amount);
            assert_eq!(amount.value(), n);
        }
    }
    for milli in 0..5000 {
        let amount = Quantity::from_milli(milli);
        assert_eq!(quantity(&amount.to_string()), amount);
        assert_eq!(amount.milli(), milli);
    }
}

#[test]
fn parts_round_away_from_zero() {
    assert_eq!(quantity("1500m").value(), 2);
    assert_eq!(quantity("-1500m").value(), -2);
    assert_eq!(quantity("1u").milli(), 1);
    assert_eq!(quantity("9E").milli(), i64::MAX);
}

#[test]
fn sums_keep_the_first_family() {
    assert_eq!((quantity("1Gi") + quantity("1Mi")).to_string(), "1025Mi");
    assert_eq!((Quantity::ZERO + quantity("1Gi")).to_string(), "1Gi");
    assert_eq!((quantity("1") - quantity("250m")).to_string(), "750m");
    assert!(quantity("1Gi") > quantity("1G") && quantity("1000m") == quantity("1"));
}
