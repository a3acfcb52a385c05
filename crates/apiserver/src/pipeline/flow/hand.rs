//! Shuffle sharding: every flow has its own small hand of queues, so that two flows seldom share all of theirs.

/// Deals the hand that belongs to a hash: different numbers below `deck`, as if drawn from a shuffled deck.
pub fn deal(mut hash: u64, deck: usize, hand: usize, mut pick: impl FnMut(usize)) {
    // sixteen are enough for every level whose hands a hash can tell apart
    let mut dealt = [0_usize; 16];
    for round in 0..hand.min(deck).min(dealt.len()) {
        let left = (deck - round) as u64;
        let mut card = usize::try_from(hash % left).expect("a remainder of a deck's size");
        hash /= left;
        // the n-th of those that are still in the deck
        let mut sorted = dealt;
        let before = &mut sorted[..round];
        before.sort_unstable();
        for gone in before.iter() {
            if card >= *gone {
                card += 1;
            }
        }
        dealt[round] = card;
        pick(card);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn hand(hash: u64, deck: usize, size: usize) -> Vec<usize> {
        let mut all = Vec::new();
        deal(hash, deck, size, |card| all.push(card));
        all
    }

    #[test]
    fn a_hand_holds_different_cards_and_is_always_the_same() {
        for hash in (0..1000).map(|n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15)) {
            let cards = hand(hash, 16, 4);
            assert_eq!(cards.iter().collect::<BTreeSet<_>>().len(), 4);
            assert!(cards.iter().all(|card| *card < 16));
            assert_eq!(cards, hand(hash, 16, 4));
        }
        assert_eq!(hand(7, 3, 3).iter().sum::<usize>(), 3);
    }

    #[test]
    fn every_card_is_dealt_about_as_often() {
        let mut count = [0; 16];
        for n in 0..4000_u64 {
            deal(n.wrapping_mul(0x9E37_79B9_7F4A_7C15), 16, 4, |card| count[card] += 1);
        }
        assert!(count.iter().all(|n| (800..1200).contains(n)), "{count:?}");
    }
}
