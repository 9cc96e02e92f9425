//! `ocache status --watch`: shows the status repeatedly.
//!
//! On a terminal it uses the alternate screen, so that the terminal's former content returns afterwards.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

use super::super::engine::Engine;
use super::super::failure::{Failure, Result};
use super::super::output::Output;
use super::super::reader;
use super::super::signals::signalled;
use super::super::table::cut;
use super::{Overview, ShownUsers, overview, print, show, shown_users};
use crate::model::escape_but;
use crate::ports::Ports;

/// Switches to the alternate screen and hides the cursor.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l";
/// Shows the cursor and switches back.
const LEAVE: &[u8] = b"\x1b[?25h\x1b[?1049l";
/// The size of a terminal that does not report it.
const SIZE: (usize, usize) = (80, 24);

/// Shows the status at every interval, until Ctrl-C or until its reader leaves. Neither is a failure.
pub(super) async fn run(
    output: &Output,
    ports: &Ports,
    engine: &Engine,
    every: Duration,
) -> Result<()> {
    // Listen before the screen changes. From here on Ctrl-C restores the screen before the process ends.
    let interrupted = signalled(1);
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let shown = async {
        match output.is_on_terminal() {
            true => on_terminal(&output.quietly(), ports, engine, ticks).await,
            false => line_by_line(output, ports, engine, ticks).await,
        }
    };
    tokio::select! {
        failed = shown => failed,
        () = interrupted => Ok(()),
        () = reader::left() => Ok(()),
    }
}

async fn line_by_line(
    output: &Output,
    ports: &Ports,
    engine: &Engine,
    mut ticks: Interval,
) -> Result<()> {
    loop {
        ticks.tick().await;
        print(output, ports, engine).await?;
    }
}

async fn on_terminal(
    output: &Output,
    ports: &Ports,
    engine: &Engine,
    mut ticks: Interval,
) -> Result<()> {
    let mut events = TerminalEvents::listen().map_err(Failure::internal)?;
    let mut screen: Option<Screen> = None;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            event = events.next() => match event {
                TerminalEvent::Resized => {}
                TerminalEvent::Suspended => {
                    // The shell gets its screen back until the process continues.
                    drop(screen.take());
                    suspend();
                }
            },
        }
        let overview = overview(output, ports, engine).await?;
        let users = shown_users(output, ports, overview.now).await?;
        let frame = frame(&overview, &users, size());
        let screen = match &screen {
            Some(screen) => screen,
            None => screen.insert(Screen::enter(*output)?),
        };
        screen.draw(&frame)?;
    }
}

/// Returns the columns and lines of the terminal.
fn size() -> (usize, usize) {
    terminal_size::terminal_size_of(io::stdout())
        .map_or(SIZE, |(width, height)| (width.0.into(), height.0.into()))
}

/// Returns the lines of the status that fit. If there are too many, customers are left out first.
fn frame(overview: &Overview, users: &ShownUsers, (columns, lines): (usize, usize)) -> Vec<String> {
    let mut text = show(overview, users, usize::MAX);
    let excess = text.lines().count().saturating_sub(lines);
    if excess > 0 {
        // Leave out one more, to make room for the line that counts the others.
        text = show(overview, users, users.len().saturating_sub(excess + 1));
    }
    let text = escape_but(&text, &['\n']);
    text.lines().take(lines).map(|line| cut(line.trim_end(), columns).into_owned()).collect()
}

/// The alternate screen, until it is dropped.
struct Screen {
    output: Output,
}

impl Screen {
    fn enter(output: Output) -> Result<Self> {
        let screen = Self { output };
        screen.output.draw(ENTER)?;
        Ok(screen)
    }

    /// Draws over the last frame, so that the screen does not flicker.
    fn draw(&self, lines: &[String]) -> Result<()> {
        let mut frame = String::from("\x1b[H");
        for (place, line) in lines.iter().enumerate() {
            let end = if place == 0 { "" } else { "\r\n" };
            // Writing to a string does not fail.
            let _ = write!(frame, "{end}\x1b[2K{line}");
        }
        if lines.len() < size().1 {
            frame.push_str("\r\n\x1b[J");
        }
        self.output.draw(frame.as_bytes())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs no restoring.
        let _ = self.output.draw(LEAVE);
    }
}

/// An event of the terminal.
enum TerminalEvent {
    Resized,
    /// Ctrl-Z was typed.
    Suspended,
}

#[cfg(unix)]
struct TerminalEvents {
    resized: tokio::signal::unix::Signal,
    suspended: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl TerminalEvents {
    fn listen() -> io::Result<Self> {
        use rustix::process::Signal;
        use tokio::signal::unix::{SignalKind, signal};
        let suspended = SignalKind::from_raw(Signal::TSTP.as_raw());
        Ok(Self { resized: signal(SignalKind::window_change())?, suspended: signal(suspended)? })
    }

    async fn next(&mut self) -> TerminalEvent {
        tokio::select! {
            _ = self.resized.recv() => TerminalEvent::Resized,
            _ = self.suspended.recv() => TerminalEvent::Suspended,
        }
    }
}

/// Stops the process until SIGCONT.
#[cfg(unix)]
fn suspend() {
    use rustix::process::{Signal, getpid, kill_process};
    // If the process cannot be stopped, it continues.
    let _ = kill_process(getpid(), Signal::STOP);
}

#[cfg(not(unix))]
struct TerminalEvents;

#[cfg(not(unix))]
impl TerminalEvents {
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> TerminalEvent {
        std::future::pending().await
    }
}

#[cfg(not(unix))]
fn suspend() {}
