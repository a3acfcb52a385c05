//! What two lists of lines have in common: Ratcliff and Obershelp's longest matching blocks, as Python's `difflib`
//! finds them, whose port upstream uses. Absent: the short cut for lists of more than 200 lines.

use std::collections::HashMap;
use std::ops::Range;

/// A stretch that both have, or that one has instead of the other's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    /// Whether both are the same.
    pub(super) equal: bool,
    /// Lines of the old list.
    pub(super) old: Range<usize>,
    /// Lines of the new list.
    pub(super) new: Range<usize>,
}

struct Block {
    old: usize,
    new: usize,
    size: usize,
}

/// The changes in groups, with at most so many lines around each.
pub(super) fn grouped(old: &[String], new: &[String], context: usize) -> Vec<Vec<Edit>> {
    let mut edits = edits(old, new);
    if let Some(first) = edits.first_mut().filter(|edit| edit.equal) {
        *first = tail(first, context);
    }
    if let Some(last) = edits.last_mut().filter(|edit| edit.equal) {
        *last = head(last, context);
    }
    let (mut groups, mut group) = (Vec::new(), Vec::new());
    for edit in edits {
        if edit.equal && edit.old.len() > 2 * context {
            group.push(head(&edit, context));
            groups.push(std::mem::take(&mut group));
            group.push(tail(&edit, context));
        } else {
            group.push(edit);
        }
    }
    groups.push(group);
    groups.retain(|group| group.iter().any(|edit| !edit.equal));
    groups
}

fn head(edit: &Edit, lines: usize) -> Edit {
    let size = edit.old.len().min(lines);
    Edit { equal: true, old: edit.old.start..edit.old.start + size, new: edit.new.start..edit.new.start + size }
}

fn tail(edit: &Edit, lines: usize) -> Edit {
    let size = edit.old.len().min(lines);
    Edit { equal: true, old: edit.old.end - size..edit.old.end, new: edit.new.end - size..edit.new.end }
}

fn edits(old: &[String], new: &[String]) -> Vec<Edit> {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, line) in new.iter().enumerate() {
        places.entry(line).or_default().push(index);
    }
    let mut blocks = Vec::new();
    collect(&mut blocks, old, &places, 0..old.len(), 0..new.len());
    blocks.push(Block { old: old.len(), new: new.len(), size: 0 });
    let (mut edits, mut at, mut to): (Vec<Edit>, usize, usize) = (Vec::new(), 0, 0);
    for block in blocks {
        if at < block.old || to < block.new {
            edits.push(Edit { equal: false, old: at..block.old, new: to..block.new });
        }
        (at, to) = (block.old + block.size, block.new + block.size);
        match edits.last_mut().filter(|last| last.equal && last.old.end == block.old) {
            Some(last) => (last.old.end, last.new.end) = (at, to),
            None if block.size > 0 => edits.push(Edit { equal: true, old: block.old..at, new: block.new..to }),
            None => {}
        }
    }
    edits
}

fn collect(
    blocks: &mut Vec<Block>,
    old: &[String],
    places: &HashMap<&str, Vec<usize>>,
    from: Range<usize>,
    to: Range<usize>,
) {
    let block = longest(old, places, &from, &to);
    if block.size == 0 {
        return;
    }
    let (after_old, after_new) = (block.old + block.size, block.new + block.size);
    collect(blocks, old, places, from.start..block.old, to.start..block.new);
    blocks.push(block);
    collect(blocks, old, places, after_old..from.end, after_new..to.end);
}

/// The longest stretch that both have; of several the first.
fn longest(old: &[String], places: &HashMap<&str, Vec<usize>>, from: &Range<usize>, to: &Range<usize>) -> Block {
    let mut best = Block { old: from.start, new: to.start, size: 0 };
    let mut ending: HashMap<usize, usize> = HashMap::new();
    for at in from.clone() {
        let mut next = HashMap::new();
        for index in places.get(old[at].as_str()).into_iter().flatten().copied().filter(|index| to.contains(index)) {
            let size = 1 + index.checked_sub(1).and_then(|before| ending.get(&before)).copied().unwrap_or(0);
            next.insert(index, size);
            if size > best.size {
                best = Block { old: at + 1 - size, new: index + 1 - size, size };
            }
        }
        ending = next;
    }
    best
}
