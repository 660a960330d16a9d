import { Component, type ComponentChildren, type VNode } from "preact";

type GuardedProps = { what: string; children: ComponentChildren };
type GuardedState = { problem: string | null };

/** A part of a page that can fail without the others: an error in it is shown in its place. `what` names the part. */
export class Guarded extends Component<GuardedProps, GuardedState> {
  override state: GuardedState = { problem: null };

  static override getDerivedStateFromError(error: unknown): GuardedState {
    return { problem: error instanceof Error ? error.message : String(error) };
  }

  override componentDidCatch(error: unknown): void {
    console.error(`${this.props.what} could not be shown`, error);
  }

  render({ what, children }: GuardedProps, { problem }: GuardedState): VNode {
    if (problem === null) return <>{children}</>;
    return (
      <div class="notice bad" role="alert">
        {what} could not be shown: {problem}{" "}
        <button class="small" onClick={() => this.setState({ problem: null })}>
          Try again
        </button>
      </div>
    );
  }
}
