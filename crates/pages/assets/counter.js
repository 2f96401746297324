// The counter: what the list, the keyboard, live events and an open chat have in common is in modules of their own.
import "./keys.js";
