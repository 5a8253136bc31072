//! Moments and days, each with one spelling (RFC 3339).

use core::fmt;
use core::str::FromStr;

/// A moment: `2026-06-25T09:30:00Z`. UTC, whole seconds, years 1970 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

/// A day: `2026-06-25`, years 1970 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// The seconds of a day without leap seconds, as Unix counts them.
const DAY: u64 = 86_400;

impl Timestamp {
    /// 9999-12-31T23:59:59Z.
    pub const MAX: Self = Self(253_402_300_799);

    /// A moment by the seconds since 1970; none after the year 9999.
    pub fn from_unix_seconds(seconds: u64) -> Option<Self> {
        (seconds <= Self::MAX.0).then_some(Self(seconds))
    }

    /// The seconds since 1970.
    pub fn unix_seconds(self) -> u64 {
        self.0
    }

    /// The day, in UTC.
    pub fn date(self) -> Date {
        Date::from_days(self.0 / DAY)
    }
}

impl Date {
    /// The year, month and day.
    pub fn parts(self) -> (u16, u8, u8) {
        (self.year, self.month, self.day)
    }

    /// The civil day of a count of days since 1970-01-01, by eras of 400 years that begin in March.
    fn from_days(days: u64) -> Self {
        let shifted = days + 719_468;
        let era = shifted / 146_097;
        let day_of_era = shifted % 146_097;
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        Self {
            year: u16::try_from(year).unwrap_or(u16::MAX),
            month: u8::try_from(month).unwrap_or(u8::MAX),
            day: u8::try_from(day).unwrap_or(u8::MAX),
        }
    }

    /// The inverse of `from_days`.
    fn days(self) -> u64 {
        let month = u64::from(self.month);
        let year = u64::from(self.year) - u64::from(month <= 2);
        let from_march = if month > 2 { month - 3 } else { month + 9 };
        let day_of_year = (153 * from_march + 2) / 5 + u64::from(self.day) - 1;
        let year_of_era = year % 400;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        (year / 400) * 146_097 + day_of_era - 719_468
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let (date, time) = text.split_once('T').ok_or(TimeError::NotTimestamp)?;
        let date: Date = date.parse().map_err(|error| match error {
            TimeError::NotDate => TimeError::NotTimestamp,
            other => other,
        })?;
        let time = time.strip_suffix('Z').ok_or(TimeError::NotTimestamp)?;
        let [hour, minute, second] = fields(time, ':', [2, 2, 2]).ok_or(TimeError::NotTimestamp)?;
        if hour > 23 || minute > 59 || second > 59 {
            return Err(TimeError::NoSuchTime);
        }
        Ok(Self(date.days() * DAY + u64::from(hour) * 3600 + u64::from(minute) * 60 + u64::from(second)))
    }
}

impl FromStr for Date {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let [year, month, day] = fields(text, '-', [4, 2, 2]).ok_or(TimeError::NotDate)?;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => 0,
        };
        if year < 1970 || !(1..=last).contains(&day) {
            return Err(TimeError::NoSuchDay);
        }
        let small = |part| u8::try_from(part).map_err(|_| TimeError::NoSuchDay);
        Ok(Self { year, month: small(month)?, day: small(day)? })
    }
}

/// Three numbers of exactly so many digits.
fn fields(text: &str, separator: char, widths: [usize; 3]) -> Option<[u16; 3]> {
    let mut numbers = [0; 3];
    let mut parts = text.split(separator);
    for (number, width) in numbers.iter_mut().zip(widths) {
        let part = parts.next()?;
        if part.len() != width || !part.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

/// Why text is not a moment or a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeError {
    /// Not of the form of a moment.
    NotTimestamp,
    /// Not of the form of a day.
    NotDate,
    /// A day that the calendar does not have, or before 1970.
    NoSuchDay,
    /// A time that a day does not have.
    NoSuchTime,
}

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotTimestamp => "expected a time in UTC and whole seconds such as 2026-06-25T09:30:00Z",
            Self::NotDate => "expected a day such as 2026-06-25",
            Self::NoSuchDay => "expected a day of the calendar from 1970-01-01 on",
            Self::NoSuchTime => "expected a time of the day from 00:00:00 to 23:59:59",
        })
    }
}

impl core::error::Error for TimeError {}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (minutes, second) = (self.0 / 60 % 1440, self.0 % 60);
        write!(f, "{}T{:02}:{:02}:{:02}Z", self.date(), minutes / 60, minutes % 60, second)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

crate::text::serde_as_text!(Timestamp, Date);
