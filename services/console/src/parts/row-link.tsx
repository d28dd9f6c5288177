import { type HistoryState, useNavigate } from "@tanstack/react-router";

/**
 * A link in a row of a list. One of the router's own works out at each change of the URL whether it is active, which for a hundred rows was
 * a tenth of the time that a changed filter took.
 */
export function RowLink({
  to,
  id,
  state,
  children,
  ...rest
}: {
  readonly to: "/deliveries/$id" | "/endpoints/$id";
  readonly id: string;
  readonly state?: HistoryState;
  readonly children: React.ReactNode;
  /** It is what `j` and `k` go to. */
  readonly "data-row"?: boolean;
}) {
  const navigate = useNavigate();
  return (
    <a
      {...rest}
      href={`#${to.replace("$id", encodeURIComponent(id))}`}
      onClick={(event) => {
        // A new tab or window is the browser's to open.
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)
          return;
        event.preventDefault();
        void navigate({ to, params: { id }, ...(state && { state }) });
      }}
    >
      {children}
    </a>
  );
}
