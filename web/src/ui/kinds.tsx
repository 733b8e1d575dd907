import {
  Activity,
  Bell,
  Cctv,
  CircleDot,
  FileText,
  FileVideo,
  Gauge,
  Globe,
  HeartPulse,
  Image,
  Sparkles,
  SquarePlay,
  TriangleAlert,
  Upload,
  type LucideIcon,
  type LucideProps,
} from 'lucide-react';

const SOURCES: Record<string, LucideIcon> = {
  ffmpeg: Cctv,
  yt: SquarePlay,
  website: Globe,
  file: FileVideo,
  image: Image,
  pdf: FileText,
  push: Upload,
};

const EVENTS: Record<string, { icon: LucideIcon; colour: string }> = {
  motion: { icon: Activity, colour: 'text-motion' },
  change: { icon: Globe, colour: 'text-change' },
  value: { icon: Gauge, colour: 'text-change' },
  ai: { icon: Sparkles, colour: 'text-ai' },
  health: { icon: HeartPulse, colour: 'text-danger' },
  'capture.failed': { icon: TriangleAlert, colour: 'text-danger' },
  test: { icon: Bell, colour: 'text-dim' },
};

/** The icon of a kind of source; beside its name, so that it says nothing by itself. */
export function SourceIcon({ kind, ...props }: { kind: string } & Pick<LucideProps, 'className'>) {
  const Icon = SOURCES[kind] ?? Cctv;
  return <Icon aria-hidden strokeWidth={1.75} {...props} />;
}

export function eventIcon(kind: string): { icon: LucideIcon; colour: string } {
  return EVENTS[kind] ?? { icon: CircleDot, colour: 'text-dim' };
}
