//! What all walks need: the example app's image in two versions, on every node.

use std::process::Command;
use std::sync::Once;

use nakhoda_tests::command::Client;
use nakhoda_tests::source::root;

static LOADED: Once = Once::new();

/// Makes and loads the images, once.
pub(crate) fn prepare() {
    LOADED.call_once(|| {
        for (tag, greeting) in [("hello-flask:1", "Hello one"), ("hello-flask:2", "Hello two")] {
            let archive = root().join(format!(".cluster/test-images/{}.tar", tag.replace(':', "-")));
            let path = archive.to_string_lossy().into_owned();
            let made = Command::new(root().join("tests/walk/flask-image")).args([&path, tag, greeting]).status();
            assert!(made.is_ok_and(|s| s.success()), "tests/walk/flask-image failed");
            Client::ctl().run(&["image", "load", &path]).unwrap_or_else(|e| panic!("{e:?}"));
        }
    });
}
