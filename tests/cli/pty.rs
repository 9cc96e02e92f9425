//! A terminal for a test.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Child, Command};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::process::text;

/// A terminal: the end that a person has, and the end that programs have.
pub struct Terminal {
    near: File,
    far: File,
}

impl Terminal {
    pub fn new(columns: u16, lines: u16) -> Self {
        let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&near).unwrap();
        unlockpt(&near).unwrap();
        let name = ptsname(&near, vec![]).unwrap();
        let mut options = File::options();
        let not_mine = rustix::fs::OFlags::NOCTTY.bits().try_into().unwrap();
        options.read(true).write(true).custom_flags(not_mine);
        let far = options.open(OsStr::from_bytes(name.as_bytes())).unwrap();
        let terminal = Self { near: File::from(near), far };
        terminal.resize(columns, lines);
        terminal
    }

    pub fn resize(&self, columns: u16, lines: u16) {
        let size = Winsize { ws_row: lines, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.near, size).unwrap();
    }

    /// Returns the end for a program, to be its stdin, stdout or stderr.
    pub fn far(&self) -> File {
        self.far.try_clone().unwrap()
    }

    /// Starts a program with this terminal as its stdin, stdout and stderr.
    pub fn start(&self, mut command: Command) -> Child {
        command.stdin(self.far()).stdout(self.far()).stderr(self.far()).spawn().unwrap()
    }

    pub fn types(&mut self, lines: &str) {
        self.near.write_all(lines.as_bytes()).unwrap();
    }

    /// Reads what is shown, up to this text.
    pub fn shows(&mut self, wanted: &str) -> String {
        let (mut seen, mut buffer) = (vec![], [0; 4096]);
        while !String::from_utf8_lossy(&seen).contains(wanted) {
            let length = self.near.read(&mut buffer).unwrap();
            seen.extend(&buffer[..length]);
        }
        text(&seen)
    }

    /// Reads the rest, until no program has the terminal.
    pub fn rest(self) -> String {
        let Self { mut near, far } = self;
        drop(far);
        let (mut seen, mut buffer) = (vec![], [0; 4096]);
        while let Ok(length @ 1..) = near.read(&mut buffer) {
            seen.extend(&buffer[..length]);
        }
        text(&seen)
    }
}
